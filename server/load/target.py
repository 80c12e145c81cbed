"""The server under load: where it is, and from which addresses to connect to it."""

import socket
import ssl
from dataclasses import dataclass
from itertools import count
from typing import Self
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Target:
    """A server. `netloc` is host and port as the URL has them; `sources` are the addresses to
    connect from in turn, none: whichever the system takes."""

    url: str
    netloc: str
    host: str
    address: str
    port: int
    is_secure: bool
    sources: tuple[str, ...]

    @classmethod
    def find(cls, url: str, source_addresses: int = 1) -> Self:
        """The server at an http or https URL. Its name is looked up once.

        Raises ValueError with a text for the user, and OSError if the name is not known.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
            raise ValueError(f"{url} is not like http://host:port")
        is_secure = parts.scheme == "https"
        port = parts.port or (443 if is_secure else 80)
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
        address = str(found[0][4][0])
        if source_addresses > 1 and not address.startswith("127."):
            raise ValueError("several source addresses work only for a server on 127.0.0.1")
        return cls(
            url=url.rstrip("/"),
            netloc=parts.netloc,
            host=parts.hostname,
            address=address,
            port=port,
            is_secure=is_secure,
            sources=_loopback_addresses(source_addresses),
        )

    def tls(self) -> ssl.SSLContext | None:
        """What to verify the server with; None where there is nothing to verify."""
        return ssl.create_default_context() if self.is_secure else None


def _loopback_addresses(wanted: int) -> tuple[str, ...]:
    # Each has some 28,000 ports of its own, and so as many connections to one server.
    if wanted == 1:
        return ()
    return tuple(f"127.0.{n // 250}.{n % 250 + 1}" for n, _ in zip(count(), range(wanted)))
