"""The matchmaker: says in which lobby those who want to join a tier are seated, all who wait at
once.

One by one, each request would wait for the store's answers to all before it. Together they need one
lookup in the directory and one commit for each lobby that they fill, and new lobbies open at once.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from typing import Any, Final

from protocol.errors import Refused
from server.services.admissions import Admission, Admissions
from server.services.lobbies import Changed
from server.services.seat_requests import (
    JoinPermit,
    MayJoin,
    SeatRequest,
    count_attempts,
    fail,
    resolve,
)
from server.services.seating import Seating
from server.store.directory import Directory, Seat

_BATCH: Final = 64
"""With more, so many games begin in the same instant that their calls, due at the same time, delay
each other: 256 made the calls of 12,000 players up to five times as late."""


class Matchmaker:
    """Has requests at one table of a tier seated in the order in which they came. `seats_elsewhere`
    looks for players' seats at the tier's other tables."""

    def __init__(
        self,
        seating: Seating,
        directory: Directory,
        admissions: Admissions,
        table: str,
        seats_elsewhere: Callable[[Sequence[str]], Awaitable[Sequence[Seat | None]]],
        may_join: MayJoin,
    ) -> None:
        self._seating = seating
        self._directory = directory
        self._admissions = admissions
        self._table = table
        self._seats_elsewhere = seats_elsewhere
        self._may_join = may_join
        self._queue: deque[SeatRequest] = deque()
        self._task: asyncio.Task[None] | None = None

    async def seat(
        self, alien_id: str, client_seed: str, *, only_kept: bool = False
    ) -> Changed | Refused:
        """Seat a player in the fullest forming lobby, or in a new one, unless `only_kept`; who sits
        in one already, at whichever table of the tier, keeps that seat. Raises StoreUnavailable."""
        permit = JoinPermit(self._may_join, alien_id)
        request = SeatRequest(alien_id, client_seed, permit, only_kept)
        self._queue.append(request)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await request.outcome

    async def _run(self) -> None:
        try:
            while requests := self._next_batch():
                try:
                    await self._seat_batch(requests)
                except Exception as error:  # noqa: BLE001 - raised to each of them
                    fail(requests, error)
        finally:
            self._task = None

    def _next_batch(self) -> list[SeatRequest]:
        """Those who have waited longest, and still do. They stay in the queue until they have an
        outcome."""
        batch: list[SeatRequest] = []
        while self._queue and len(batch) < _BATCH:
            request = self._queue.popleft()
            if not request.outcome.done():
                batch.append(request)
        self._queue.extendleft(reversed(batch))
        return batch

    async def _seat_batch(self, requests: Sequence[SeatRequest]) -> None:
        names = [request.alien_id for request in requests]
        admission, fullest, here, elsewhere = await asyncio.gather(
            self._admissions.of(self._table, names),
            self._directory.fullest(self._table, self._seating.other_rules),
            self._directory.seats(self._table, names),
            self._seats_elsewhere(names),
        )
        new_players: list[SeatRequest] = []
        returning: defaultdict[str, list[SeatRequest]] = defaultdict(list)
        for request, *seats in zip(requests, here, elsewhere, strict=True):
            held = [seat for seat in seats if seat is not None]
            banned = admission.banned(request.alien_id)
            if banned is not None:
                resolve([request], banned)
                continue
            (returning[min(held).lobby_id] if held else new_players).append(request)
        rounds = [
            self._seating.seat_in(lobby_id, those, (), admission)
            for lobby_id, those in returning.items()
        ]
        await _all([*rounds, self._seat_new_players(new_players, fullest, admission)])
        count_attempts(requests)

    async def _seat_new_players(
        self, new_players: Sequence[SeatRequest], fullest: str | None, admission: Admission
    ) -> None:
        """Seat players who hold no seat: in the fullest lobby that plays what is offered now, and
        those for whom it has no room in new ones."""
        while new_players and fullest is not None:
            await self._seating.seat_in(fullest, new_players, new_players, admission)
            if fullest not in self._seating.other_rules:
                break
            fullest = await self._directory.fullest(self._table, self._seating.other_rules)
        unseated = [request for request in new_players if not request.outcome.done()]
        # In this order, since a lobby opens only if no other has a free seat: all but the last are
        # full at once.
        groups = _groups(unseated, self._seating.seats_a_lobby)
        await _all([self._seating.open(group, admission) for group in groups])


async def _all(work: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Do all of it at once; one thing by itself, as nearly always, needs no task."""
    if len(work) == 1:
        await work[0]
    else:
        await asyncio.gather(*work)


def _groups(requests: Sequence[SeatRequest], size: int) -> Iterator[Sequence[SeatRequest]]:
    return (requests[start : start + size] for start in range(0, len(requests), size))
