"""SeatRequests: players who want a seat and wait for the answer."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from protocol.errors import ErrorCode, Refused
from server.services.lobbies import ATTEMPTS, Changed

Joins = Callable[[str], bool]
"""Whether a player may take one more new seat, which counts."""


class Permit:
    """Leave to take one new seat: `joins` is asked when there is one to take, and only once,
    however often the seat has to be looked for."""

    def __init__(self, joins: Joins, alien_id: str) -> None:
        self._joins = joins
        self._alien_id = alien_id
        self._given: bool | None = None

    def given(self) -> bool:
        """Whether the player may have one more seat."""
        if self._given is None:
            self._given = self._joins(self._alien_id)
        return self._given


@dataclass(slots=True, eq=False)
class SeatRequest:
    """A player who wants a seat. `attempts`: how often one was looked for in vain."""

    alien_id: str
    client_seed: str
    permit: Permit
    answer: "asyncio.Future[Changed | Refused]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    attempts: int = 0


def answer(requests: Iterable[SeatRequest], said: Changed | Refused) -> None:
    """Tell those who still wait."""
    for request in requests:
        if not request.answer.done():
            request.answer.set_result(said)


def fail(requests: Iterable[SeatRequest], error: Exception) -> None:
    """Tell those who still wait that it went wrong, or that it is not known."""
    for request in requests:
        if not request.answer.done():
            request.answer.set_exception(error)


def count_attempts(requests: Iterable[SeatRequest]) -> None:
    """Count one more attempt for all, and tell those for whom it was the last."""
    for request in requests:
        request.attempts += 1
        if request.attempts >= ATTEMPTS:
            answer([request], Refused(ErrorCode.UNAVAILABLE))
