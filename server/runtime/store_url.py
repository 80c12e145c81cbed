"""The URL of the store: one address, sentinels that name a primary, or nodes of a cluster."""

import re
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

_SCHEME: Final = re.compile(r"(rediss?)\+(sentinel|cluster)://(.*)", re.DOTALL | re.IGNORECASE)
_SENTINEL_PORT: Final = 26379
_CLUSTER_PORT: Final = 6379
_DATABASE: Final = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Address:
    """A host and its port."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class StoreUrl:
    """What a URL says. `template` is a plain URL: with its user, database, options and TLS, and,
    unless the URL itself is plain, an address that is to be replaced."""

    kind: Literal["plain", "sentinel", "cluster"]
    template: str
    nodes: tuple[Address, ...] = ()
    name: str = ""


def read_store_url(url: str) -> StoreUrl:
    """The parts of a URL. Raises ValueError, whose text quotes nothing."""
    match = _SCHEME.fullmatch(url)
    if match is None:
        return StoreUrl("plain", url)
    scheme, kind = match[1].lower(), match[2].lower()
    rest, mark, query = match[3].partition("?")
    location, _, path = rest.partition("/")
    user, at, hosts = location.rpartition("@")
    port = _CLUSTER_PORT if kind == "cluster" else _SENTINEL_PORT
    nodes = tuple(_address(text, port) for text in hosts.split(","))
    if kind == "cluster":
        if path not in ("", "0"):
            raise ValueError("must name no database: a cluster has one only")
        return StoreUrl("cluster", f"{scheme}://{user}{at}{nodes[0]}/0{mark}{query}", nodes)
    name, _, database = path.partition("/")
    if not name:
        raise ValueError("must name, after the sentinels, the primary that they keep")
    if database and not _DATABASE.fullmatch(database):
        raise ValueError("must name its database by a number")
    template = f"{scheme}://{user}{at}{nodes[0]}/{database}{mark}{query}"
    return StoreUrl("sentinel", template, nodes, unquote(name))


def _address(text: str, default_port: int) -> Address:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or port == 0 or parts.username is not None or parts.path:
        raise ValueError("must have a list of addresses like host:port,host:port")
    return Address(unquote(host), default_port if port is None else port)
