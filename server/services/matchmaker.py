"""The matchmaker: seats those who want to join a tier, all who wait at once.

One by one, each request would wait for the store's answers to all before it. Together they need one
lookup in the directory and one commit for each lobby that they fill, and new lobbies open at once.
"""

import asyncio
import os
from collections import defaultdict, deque
from collections.abc import (
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from functools import reduce
from typing import Any, Final

from protocol import ids
from protocol.errors import ErrorCode, Refused
from server.rules.commands import OpenLobby
from server.rules.decide import decide, open_lobby
from server.rules.events import Event
from server.rules.evolve import evolve, folded
from server.rules.lobby import Lobby
from server.rules.payments import Invoice
from server.runtime.clock import StoreClock
from server.services.admissions import Admission, Admissions
from server.services.billing import Billing
from server.services.lobbies import Changed, Lobbies
from server.services.seat_requests import (
    JoinPermit,
    MayJoin,
    SeatRequest,
    count_attempts,
    fail,
    resolve,
)
from server.services.tiers import Tier
from server.store.commits import Check
from server.store.directory import Directory, Seat
from server.store.errors import StoreUnavailable
from server.store.invoices import invoice_check
from server.store.log import LOG_START, Snapshot

_BATCH: Final = 64
"""With more, so many games begin in the same instant that their calls, due at the same time, delay
each other: 256 made the calls of 12,000 players up to five times as late."""


class Matchmaker:
    """Seats the requests of one table of a tier in the order in which they came. `seats_elsewhere`
    looks for players' seats at the tier's other tables."""

    def __init__(
        self,
        lobbies: Lobbies,
        directory: Directory,
        billing: Billing,
        admissions: Admissions,
        clock: StoreClock,
        tier: Tier,
        table: str,
        seats_elsewhere: Callable[[Sequence[str]], Awaitable[Sequence[Seat | None]]],
        may_join: MayJoin,
    ) -> None:
        self._lobbies = lobbies
        self._directory = directory
        self._billing = billing
        self._admissions = admissions
        self._may_join = may_join
        self._clock = clock
        self._tier = tier
        self._table = table
        self._seats_elsewhere = seats_elsewhere
        self._other_rules: set[str] = set()  # lobbies with a free seat that play by other rules
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
            self._directory.fullest(self._table, self._other_rules),
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
            self._seat_in(lobby_id, those, (), admission) for lobby_id, those in returning.items()
        ]
        await _all([*rounds, self._seat_new_players(new_players, fullest, admission)])
        count_attempts(requests)

    async def _seat_new_players(
        self, new_players: Sequence[SeatRequest], fullest: str | None, admission: Admission
    ) -> None:
        """Seat players who hold no seat: in the fullest lobby that plays what is offered now, and
        those for whom it has no room in new ones."""
        while new_players and fullest is not None:
            await self._seat_in(fullest, new_players, new_players, admission)
            if fullest not in self._other_rules:
                break
            fullest = await self._directory.fullest(self._table, self._other_rules)
        unseated = [request for request in new_players if not request.outcome.done()]
        # In this order, since a lobby opens only if no other has a free seat: all but the last are
        # full at once.
        groups = _groups(unseated, self._tier.variant.max_players)
        await _all([self._open(group, admission) for group in groups])

    async def _seat_in(
        self,
        lobby_id: str,
        requests: Sequence[SeatRequest],
        new_players: Sequence[SeatRequest],
        admission: Admission,
    ) -> None:
        """Seat as many as there is room for, provided that the `new_players` among them hold no
        seat by then. A failure of the store fails these requests, not those for other lobbies."""
        try:
            await self._hold_and_seat(lobby_id, requests, new_players, admission)
        except StoreUnavailable as error:
            fail(requests, error)

    async def _hold_and_seat(
        self,
        lobby_id: str,
        requests: Sequence[SeatRequest],
        new_players: Sequence[SeatRequest],
        admission: Admission,
    ) -> None:
        table = ids.lobby_table(lobby_id)
        if table != self._table:  # its own commits check its own copy of what operators ordered
            names = [request.alien_id for request in requests]
            admission = await self._admissions.of(table, names)
        async with self._lobbies.hold(lobby_id):
            if not any(request.attempts for request in requests):
                # What this node knows may be old. A commit checks it, so it serves for a change,
                # but never for a refusal, and not a second time.
                known = await self._lobbies.snapshot(lobby_id)
                if await self._seat_by(known, requests, new_players, admission, only_changes=True):
                    return
            stored = await self._lobbies.stored(lobby_id)
            await self._seat_by(stored, requests, new_players, admission, only_changes=False)
            if all(request.attempts and not request.outcome.done() for request in requests):
                await self._repair(lobby_id, requests)

    async def _repair(self, lobby_id: str, requests: Sequence[SeatRequest]) -> None:
        """Repair the indexes that led requests twice to a lobby that seats none of them."""
        await self._lobbies.repair_indexes(lobby_id)
        for request in requests:
            await self._lobbies.repair_seat(request.alien_id, lobby_id)

    async def _seat_by(
        self,
        before: Snapshot,
        requests: Sequence[SeatRequest],
        new_players: Sequence[SeatRequest],
        admission: Admission,
        *,
        only_changes: bool,
    ) -> bool:
        """Seat requests by what is known of a lobby; whether that was attempted."""
        if before.lobby is None:
            return False
        if new_players and not before.lobby.variant.plays_like(self._tier.variant):
            self._other_rules.add(before.lobby.lobby_id)
            return True
        names = [request.alien_id for request in requests]
        given_up = await self._billing.given_up(before.lobby, names, self._tier.takes_test)
        now_ms = before.time_ms(self._clock.now_ms())
        events, seated = self._fill(
            before.lobby, requests, now_ms, given_up, admission, is_stored=not only_changes
        )
        if only_changes and not events:
            return False
        checks = [admission.unchanged]
        checks += self._unseated_checks(request for request in seated if request in new_players)
        returned = (given_up.get(request.alien_id) for request in seated)
        checks += [invoice_check(invoice) for invoice in returned if invoice is not None]
        await self._commit(before, events, now_ms, seated, checks)
        return True

    async def _open(self, requests: Sequence[SeatRequest], admission: Admission) -> None:
        """Open a lobby for as many as it has seats, provided that they hold no seat by then, and
        that no other lobby has a free one."""
        tier, beacon = self._tier, self._tier.beacon()
        if isinstance(beacon, Refused):
            resolve(requests, beacon)
            return
        lobby_id = ids.lobby_id(self._table, os.urandom(6))
        opening = OpenLobby(
            lobby_id, tier.buy_in_amount, tier.variant, os.urandom(32).hex(), beacon
        )
        now_ms = self._clock.now_ms()
        opened = open_lobby(opening, now_ms)
        events, seated = self._fill(folded(opened), requests, now_ms, {}, admission, is_stored=True)
        checks = [
            admission.unchanged,
            self._directory.none_open_check(self._table, self._other_rules),
            *self._unseated_checks(seated),
        ]
        no_lobby = Snapshot(None, LOG_START)
        try:
            await self._commit(no_lobby, [*opened, *events], now_ms, seated, checks)
        except StoreUnavailable as error:
            fail(requests, error)

    def _fill(
        self,
        lobby: Lobby,
        requests: Iterable[SeatRequest],
        now_ms: float,
        given_up: Mapping[str, Invoice],
        admission: Admission,
        *,
        is_stored: bool,
    ) -> tuple[list[Event], list[SeatRequest]]:
        """The events that seat these requests, up to the first for whom there is no seat. Those who
        may not take a new one now are refused. `is_stored`: the lobby is not what this node knows,
        which may be old."""
        events: list[Event] = []
        seated: list[SeatRequest] = []
        for request in requests:
            if request.outcome.done():
                continue
            known = given_up.get(request.alien_id)
            command = self._tier.seat(request.alien_id, request.client_seed, lobby.lobby_id, known)
            decided = decide(lobby, command, now_ms)
            if isinstance(decided, Refused):
                break
            if decided and request.only_kept:
                if is_stored:  # it was given up meanwhile
                    resolve([request], Refused(ErrorCode.UNAVAILABLE))
                continue
            refused = self._no_new_seat(request, admission) if decided else None
            if refused is not None:
                resolve([request], refused)
                continue
            lobby = reduce(evolve, decided, lobby)
            events += decided
            seated.append(request)
        return events, seated

    def _no_new_seat(self, request: SeatRequest, admission: Admission) -> Refused | None:
        refused = admission.new_seat(request.alien_id)
        if refused is None and not request.permit.granted():
            return Refused(ErrorCode.RATE_LIMITED)
        return refused

    def _unseated_checks(self, requests: Iterable[SeatRequest]) -> list[Check]:
        return [
            self._directory.unseated_check(self._table, request.alien_id) for request in requests
        ]

    async def _commit(
        self,
        before: Snapshot,
        events: Sequence[Event],
        now_ms: float,
        seated: Sequence[SeatRequest],
        checks: Sequence[Check],
    ) -> None:
        """Commit these events, and resolve the requests that they seat; neither if the lobby has
        changed meanwhile."""
        if not seated:
            return
        if events:
            changed = await self._lobbies.commit(before, events, now_ms, checks=checks)
        else:
            changed = Changed(before)
        if changed is not None:
            resolve(seated, changed)


async def _all(work: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Do all of it at once; one thing by itself, as nearly always, needs no task."""
    if len(work) == 1:
        await work[0]
    else:
        await asyncio.gather(*work)


def _groups(requests: Sequence[SeatRequest], size: int) -> Iterator[Sequence[SeatRequest]]:
    return (requests[start : start + size] for start in range(0, len(requests), size))
