"""Seat requests: players who want a seat and wait for the outcome."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from protocol.errors import ErrorCode, Refused
from server.services.lobbies import ATTEMPTS, Changed

MayJoin = Callable[[str], bool]
"""Whether a player may take one more new seat; asking counts against their limit."""


class JoinPermit:
    """Permission to take one new seat. The limit is asked once, when there is a seat to take,
    however often one has to be looked for."""

    def __init__(self, may_join: MayJoin, alien_id: str) -> None:
        self._may_join = may_join
        self._alien_id = alien_id
        self._granted: bool | None = None

    def granted(self) -> bool:
        """Whether the player may take one more seat."""
        if self._granted is None:
            self._granted = self._may_join(self._alien_id)
        return self._granted


@dataclass(slots=True, eq=False)
class SeatRequest:
    """A player who wants a seat, or `only_kept` the one that they hold. `attempts`: how often none
    was found."""

    alien_id: str
    client_seed: str
    permit: JoinPermit
    only_kept: bool = False
    outcome: "asyncio.Future[Changed | Refused]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    attempts: int = 0


def resolve(requests: Iterable[SeatRequest], outcome: Changed | Refused) -> None:
    """Give this outcome to those that have none yet."""
    for request in requests:
        if not request.outcome.done():
            request.outcome.set_result(outcome)


def fail(requests: Iterable[SeatRequest], error: Exception) -> None:
    """Raise this error to those that have no outcome yet."""
    for request in requests:
        if not request.outcome.done():
            request.outcome.set_exception(error)


def count_attempts(requests: Iterable[SeatRequest]) -> None:
    """Count one more attempt for all, and refuse those whose attempts are exhausted."""
    for request in requests:
        request.attempts += 1
        if request.attempts >= ATTEMPTS:
            resolve([request], Refused(ErrorCode.UNAVAILABLE))
