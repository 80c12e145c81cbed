"""How other people's servers are asked over HTTP, whoever they are."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Any, Final
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from server.outside.authorities import authorities
from server.outside.fresh_connections import FreshConnections

_CONNECTIONS: Final = 100
FAILURES: Final = (aiohttp.ClientError, TimeoutError, OSError, ValueError)
"""What a request may raise. ValueError: a part of the answer that is no text, or too long."""


class BadStatus(ValueError):
    """The answer is not what was asked for, as its status says."""


class HttpClient:
    """Asks the servers at `urls`, with these `headers`. A request goes through the proxy that the
    environment names for it, and ends with its first answer: no redirection is followed, and no
    cookie is kept. There is no time-out: whoever asks has one."""

    def __init__(
        self,
        urls: Iterable[str],
        headers: Mapping[str, str] | None = None,
        connections: int = _CONNECTIONS,
    ) -> None:
        origins = {URL(url).origin() for url in urls}
        self._proxies = {origin: _proxy_of(origin) for origin in origins}
        names = [*map(str, origins), *filter(None, self._proxies.values())]
        is_plain = all(name.startswith("http://") for name in names)
        # To read the certificates takes longer than all else that makes a client.
        self._ssl = is_plain or authorities()
        # Compressed answers are not asked for: a small one can be very large when unpacked.
        self._headers = {**(headers or {}), "Accept-Encoding": "identity"}
        self._connections = connections

    @cached_property
    def _client(self) -> aiohttp.ClientSession:
        client = aiohttp.ClientSession(
            headers=self._headers,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(),
            connector=FreshConnections(limit=self._connections, ssl=self._ssl),
        )
        # As aiohttp's own clients of tests do it: else it asks a second time by itself where the
        # first connection ends without an answer. Whoever asks knows whether that is wanted.
        client._retry_connection = False
        return client

    @asynccontextmanager
    async def request(
        self, method: str, url: URL, **options: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer, whose body is still to be read; `options` are aiohttp's. Raises one of
        FAILURES."""
        proxy = self._proxies[url.origin()]
        async with self._client.request(
            method, url, allow_redirects=False, proxy=proxy, **options
        ) as response:
            yield response

    async def close(self) -> None:
        """Close the connections. Safe to repeat."""
        if "_client" in self.__dict__:  # nobody was asked, otherwise
            await self._client.close()


def check_status(response: aiohttp.ClientResponse) -> None:
    """Raises BadStatus unless the answer is the one that was asked for."""
    if not 200 <= response.status < 300:
        raise BadStatus(f"HTTP {response.status}")


async def read_body(response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    """The whole body. Raises ValueError if that is too large."""
    body = b""
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > most_bytes:
            raise ValueError("the answer is too large")
    return body


def described(error: Exception) -> str:
    """What went wrong, without the URL or that of a proxy: they may have a password in them."""
    name = type(error).__name__
    match error:
        case BadStatus():
            return str(error)
        case aiohttp.ClientConnectorCertificateError():
            return f"{name}: {error.certificate_error}"[:500]
        case aiohttp.ClientConnectorError():
            return f"{name}: {error.os_error}"[:500]
        case aiohttp.ClientError():
            return name
    return repr(error)[:500]


def _proxy_of(url: URL) -> str | None:
    if proxy_bypass(url.host or ""):
        return None
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy
