"""HTTP requests: who asks, and for what; and answers in JSON."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import orjson
from aiohttp import web

from protocol import strict_json
from protocol.errors import ErrorCode, Refused
from server.runtime.log_context import bind_ids
from server.transport.addresses import client_address
from server.transport.headers import credentials, is_encoded
from server.transport.limits import Network, RateByKey
from server.transport.token_check import TokenCheck

MAX_BODY_BYTES: Final = 16_384
BODY_SECONDS: Final = 10.0
"""Bodies are 64 kB at most, which takes the slowest of mobile networks 3 s."""
PAYLOAD: Final = web.RequestKey("payload", dict[str, Any])
"""The JSON object in the body of a request."""


class RequestAuthenticator:
    """Finds out which player asks, and whether they may ask once more."""

    def __init__(
        self, check: TokenCheck, rate: RateByKey, trusted_proxies: Sequence[Network]
    ) -> None:
        self._check = check
        self._rate = rate
        self._trusted_proxies = trusted_proxies

    async def alien_id(self, request: web.Request) -> str | Refused:
        """The player of the request's bearer token."""
        token = credentials(request, "bearer")
        if token is None:
            return Refused(ErrorCode.UNAUTHORIZED)
        address = client_address(request, self._trusted_proxies)
        identity = await self._check.identify(token, address)
        if isinstance(identity, Refused):
            return identity
        bind_ids(alien_id=identity.alien_id)
        if not self._rate.allow(identity.alien_id):
            return Refused(ErrorCode.RATE_LIMITED)
        return identity.alien_id


class AddressLimit:
    """So many requests of one address for what anybody may ask."""

    def __init__(self, rate: RateByKey, trusted_proxies: Sequence[Network]) -> None:
        self._rate = rate
        self._trusted_proxies = trusted_proxies

    def allows(self, request: web.Request) -> bool:
        """Whether its address may ask once more now."""
        return self._rate.allow(client_address(request, self._trusted_proxies))


async def read_body(
    request: web.Request, most_bytes: int, most_seconds: float = BODY_SECONDS
) -> bytes | Refused:
    """The body as it was sent, if it names no encoding, is not longer than `most_bytes` and is
    here within `most_seconds`."""
    if is_encoded(request):
        return Refused(ErrorCode.UNSUPPORTED_ENCODING)
    if (request.content_length or 0) > most_bytes:
        return Refused(ErrorCode.TOO_LARGE)
    try:
        if request.content.is_eof():  # it came with the head, as nearly all do
            body = request.content.read_nowait()
            return body if len(body) <= most_bytes else Refused(ErrorCode.TOO_LARGE)
        async with asyncio.timeout(most_seconds):
            return await _read_all(request, most_bytes)
    except TimeoutError:
        return Refused(ErrorCode.TOO_SLOW)
    except (ConnectionError, web.RequestPayloadError):  # it hung up, or these are no chunks
        return Refused(ErrorCode.INVALID_MESSAGE)


async def _read_all(request: web.Request, most_bytes: int) -> bytes | Refused:
    body = bytearray()
    async for chunk in request.content.iter_chunked(most_bytes + 1):
        body += chunk
        if len(body) > most_bytes:
            return Refused(ErrorCode.TOO_LARGE)
    return bytes(body)


async def read_payload(request: web.Request) -> Any | Refused:
    """The JSON in the body; {} if there is no body."""
    body = await read_body(request, MAX_BODY_BYTES)
    if isinstance(body, Refused):
        return body
    try:
        payload = strict_json.loads(body) if body else {}
    except ValueError:
        return Refused(ErrorCode.INVALID_MESSAGE)
    if isinstance(payload, dict):
        request[PAYLOAD] = payload
    return payload


def json_response(body: Any, status: int = 200) -> web.Response:
    """A JSON response."""
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")
