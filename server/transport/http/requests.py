"""What an HTTP request says: who asks, and for what."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from aiohttp import web

from protocol import strict_json
from protocol.errors import ErrorCode, Refused
from protocol.views import Request
from server.outside.identity import Identity
from server.transport.limits import RateByKey
from server.transport.parsing import parse_request

MAX_BODY_BYTES: Final = 16_384
_BEARER: Final = "bearer "

Verify = Callable[[object], Awaitable[Identity | Refused]]
R = TypeVar("R", bound=Request)


class Caller:
    """Finds out which player asks, and whether they may ask once more."""

    def __init__(self, verify: Verify, rate: RateByKey) -> None:
        self._verify = verify
        self._rate = rate

    async def alien_id(self, request: web.Request) -> str | Refused:
        """The player of the request's bearer token."""
        header = request.headers.get("Authorization", "")
        if not header.lower().startswith(_BEARER):
            return Refused(ErrorCode.UNAUTHORIZED)
        identity = await self._verify(header[len(_BEARER) :].strip())
        if isinstance(identity, Refused):
            return identity
        if not self._rate.allow(identity.alien_id):
            return Refused(ErrorCode.RATE_LIMITED)
        return identity.alien_id


async def read_body(request: web.Request, most_bytes: int) -> bytes | Refused:
    """The body as it was sent, if it names no encoding and is not longer than `most_bytes`."""
    if "Content-Encoding" in request.headers:
        return Refused(ErrorCode.UNSUPPORTED_ENCODING)
    if (request.content_length or 0) > most_bytes:
        return Refused(ErrorCode.TOO_LARGE)
    body = bytearray()
    async for chunk in request.content.iter_chunked(most_bytes + 1):
        body += chunk
        if len(body) > most_bytes:
            return Refused(ErrorCode.TOO_LARGE)
    return bytes(body)


async def read_request(request: web.Request, model: type[R], alien_id: str) -> R | Refused:
    """The request in the body, sent by the player `alien_id`. No body is an empty one."""
    body = await read_body(request, MAX_BODY_BYTES)
    if isinstance(body, Refused):
        return body
    try:
        payload: Any = strict_json.loads(body) if body else {}
    except ValueError:
        return Refused(ErrorCode.INVALID_MESSAGE)
    return parse_request(model, payload, alien_id)
