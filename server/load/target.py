"""The server under load: its address, and the source addresses to connect to it from."""

import socket
import ssl
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Target:
    """A server. `netloc` is host and port as the URL has them, `address` the IP address that the
    host resolved to. `source_addresses` are connected from in turn; none: the system chooses."""

    url: str
    netloc: str
    host: str
    address: str
    port: int
    is_secure: bool
    source_addresses: tuple[str, ...]

    @classmethod
    def resolve(cls, url: str, source_addresses: int = 1) -> Self:
        """The server at an http or https URL, whose host is resolved now and not again, with that
        many source addresses.

        Raises ValueError with a text for the user, and OSError if the host does not resolve.
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
            source_addresses=_loopback_addresses(source_addresses),
        )

    def tls(self) -> ssl.SSLContext | None:
        """The TLS context for the server's connections; None if the URL is http."""
        return ssl.create_default_context() if self.is_secure else None


def _loopback_addresses(wanted: int) -> tuple[str, ...]:
    # Each has some 28,000 ephemeral ports, and so as many connections to one server.
    if wanted == 1:
        return ()
    return tuple(f"127.0.{n // 250}.{n % 250 + 1}" for n in range(wanted))
