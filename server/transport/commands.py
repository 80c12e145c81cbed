"""Commands: what players may ask for, declared in one table for each place where they may.

Sockets and HTTP carry them out in the same way: what was sent is read by the command's model, waits
for its turn, and goes to the command's handler. How often one may ask is limited before that, for
all commands alike, by connection or player; new seats are limited again by `server.services.seats`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from pydantic import ValidationError

from protocol.errors import ErrorCode, Refused
from protocol.views import Request
from server.transport.concurrency import ConcurrencyLimiter

Answer = Mapping[str, Any]
"""What a socket's command is acknowledged with, ready for JSON."""


class Caller(Protocol):
    """Whoever asks."""

    @property
    def alien_id(self) -> str:
        """The player, authenticated."""


C = TypeVar("C", bound=Caller)
R = TypeVar("R", bound=Request)
A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Command(Generic[C, R, A]):
    """One command: the `model` of its payload, its `handler`, and whether it is `urgent`. Of those
    that are not so many are carried out at a time as the concurrency limiter lets in."""

    model: type[R]
    handler: Callable[[C, R], Awaitable[A | Refused]]
    urgent: bool = False

    async def carry_out(self, caller: C, payload: Any, limiter: ConcurrencyLimiter) -> A | Refused:
        """The handler's answer to what the caller sent. Raises StoreUnavailable."""
        request = parse_request(self.model, payload, caller.alien_id)
        if isinstance(request, Refused):
            return request
        if self.urgent:
            return await self.handler(caller, request)
        async with limiter.turn(caller.alien_id):
            return await self.handler(caller, request)


def parse_request(model: type[R], payload: Any, alien_id: str) -> R | Refused:
    """The request in `payload`, sent by the player `alien_id`."""
    if not isinstance(payload, dict):
        return Refused(ErrorCode.INVALID_MESSAGE)
    try:
        request = model.model_validate(payload)
    except ValidationError:
        return Refused(ErrorCode.INVALID_MESSAGE)
    if request.alien_id not in (None, alien_id):
        return Refused(ErrorCode.IDENTITY_MISMATCH)
    return request
