"""The matchmaker: seats those who want to join a tier, all who wait at once.

One after the other, each would wait for the store's answers to everybody before; together they
need one look at the directory, and one commit for each lobby that they fill, new ones all at once.
"""

import asyncio
import os
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final

from protocol import ids
from protocol.errors import ErrorCode, Refused
from server.rules.commands import OpenLobby, TakeSeat
from server.rules.decide import decide, open_lobby
from server.rules.events import Event
from server.rules.evolve import evolve
from server.rules.lobby import Lobby
from server.rules.payments import Invoice
from server.rules.variants import Variant
from server.runtime.clock import StoreClock
from server.services.billing import Billing
from server.services.lobbies import Changed, Lobbies
from server.services.seat_requests import Joins, Permit, SeatRequest, answer, count_attempts, fail
from server.store.commits import Check
from server.store.directory import Directory
from server.store.errors import StoreUnavailable
from server.store.invoices import invoice_check
from server.store.log import LOG_START, Snapshot

_AT_ONCE: Final = 64
"""With more, so many games begin in the same instant that all their calls get into each other's
way: 256 made the calls of 12,000 players up to five times as late."""


@dataclass(frozen=True, slots=True)
class Tier:
    """A buy-in, the variant that is played for it, and whether new invoices may be paid by test
    payments."""

    buy_in_amount: int
    variant: Variant
    takes_test: bool

    @property
    def table(self) -> str:
        """The table that its lobbies are of."""
        return str(self.buy_in_amount)

    def seat(
        self, alien_id: str, client_seed: str, lobby_id: str, given_up: Invoice | None = None
    ) -> TakeSeat:
        """The command to seat a player, with the invoice that they gave up there or a new one."""
        new_id = ids.invoice_id(lobby_id, os.urandom(8))
        invoice_id = new_id if given_up is None else given_up.invoice_id
        return TakeSeat(alien_id, client_seed, invoice_id, self.takes_test)


class Matchmaker:
    """Seats the requests of one tier in the order in which they came."""

    def __init__(
        self,
        lobbies: Lobbies,
        directory: Directory,
        billing: Billing,
        clock: StoreClock,
        tier: Tier,
        joins: Joins,
    ) -> None:
        self._lobbies = lobbies
        self._directory = directory
        self._billing = billing
        self._joins = joins
        self._clock = clock
        self._tier = tier
        self._others: set[str] = set()  # lobbies with a free seat that play by other rules
        self._waiting: deque[SeatRequest] = deque()
        self._task: asyncio.Task[None] | None = None

    async def seat(self, alien_id: str, client_seed: str) -> Changed | Refused:
        """Seat a player in the fullest forming lobby, or in a new one; who sits in one already
        keeps that seat. Raises StoreUnavailable."""
        request = SeatRequest(alien_id, client_seed, Permit(self._joins, alien_id))
        self._waiting.append(request)
        if self._task is None:
            self._task = asyncio.create_task(self._seat_all())
        return await request.answer

    async def _seat_all(self) -> None:
        try:
            while requests := self._next():
                try:
                    await self._seat_some(requests)
                except Exception as error:  # noqa: BLE001 - each of them gets it
                    fail(requests, error)
        finally:
            self._task = None

    def _next(self) -> list[SeatRequest]:
        """Those who have waited longest and still wait. They stay in the line until answered."""
        next_ones: list[SeatRequest] = []
        while self._waiting and len(next_ones) < _AT_ONCE:
            request = self._waiting.popleft()
            if not request.answer.done():
                next_ones.append(request)
        self._waiting.extendleft(reversed(next_ones))
        return next_ones

    async def _seat_some(self, requests: Sequence[SeatRequest]) -> None:
        table = self._tier.table
        fullest, *seated_in = await asyncio.gather(
            self._directory.fullest(table, self._others),
            *(self._directory.seated_in(table, request.alien_id) for request in requests),
        )
        new_players: list[SeatRequest] = []
        returning: defaultdict[str, list[SeatRequest]] = defaultdict(list)
        for request, lobby_id in zip(requests, seated_in, strict=True):
            (new_players if lobby_id is None else returning[lobby_id]).append(request)
        rounds = [self._seat_in(lobby_id, those, ()) for lobby_id, those in returning.items()]
        await asyncio.gather(*rounds, self._seat_new_players(new_players, fullest))
        count_attempts(requests)

    async def _seat_new_players(
        self, new_players: Sequence[SeatRequest], fullest: str | None
    ) -> None:
        """Seat those who sit nowhere in the fullest lobby that plays what is offered now, and the
        others in new ones."""
        while new_players and fullest is not None:
            await self._seat_in(fullest, new_players, new_players)
            if fullest not in self._others:
                break
            fullest = await self._directory.fullest(self._tier.table, self._others)
        left = [request for request in new_players if not request.answer.done()]
        # In this order: all but the last are full at once, and so let the next one open.
        await asyncio.gather(*map(self._open, _groups(left, self._tier.variant.max_players)))

    async def _seat_in(
        self, lobby_id: str, requests: Sequence[SeatRequest], new_players: Sequence[SeatRequest]
    ) -> None:
        """Seat as many as there is room for, provided that the `new_players` among them sit nowhere
        by then. That the store fails here is nothing to the requests of other lobbies."""
        try:
            await self._seat_alone_in(lobby_id, requests, new_players)
        except StoreUnavailable as error:
            fail(requests, error)

    async def _seat_alone_in(
        self, lobby_id: str, requests: Sequence[SeatRequest], new_players: Sequence[SeatRequest]
    ) -> None:
        async with self._lobbies.hold(lobby_id):
            if not any(request.attempts for request in requests):
                # What this node remembers may be old: it serves for a change, and only once.
                known = await self._lobbies.snapshot(lobby_id)
                if await self._seat_on(known, requests, new_players, only_changes=True):
                    return
            stored = await self._lobbies.stored(lobby_id)
            await self._seat_on(stored, requests, new_players, only_changes=False)
            if all(request.attempts and not request.answer.done() for request in requests):
                await self._mend(lobby_id, requests)

    async def _mend(self, lobby_id: str, requests: Sequence[SeatRequest]) -> None:
        """Correct what led requests to a lobby that seats none of them, again."""
        await self._lobbies.mend_indexes(lobby_id)
        for request in requests:
            await self._lobbies.mend_seat(request.alien_id, lobby_id)

    async def _seat_on(
        self,
        before: Snapshot,
        requests: Sequence[SeatRequest],
        new_players: Sequence[SeatRequest],
        *,
        only_changes: bool,
    ) -> bool:
        """Seat requests on what is known of a lobby; whether that was tried."""
        if before.lobby is None:
            return False
        if new_players and not before.lobby.variant.plays_like(self._tier.variant):
            self._others.add(before.lobby.lobby_id)
            return True
        names = [request.alien_id for request in requests]
        given_up = await self._billing.given_up(before.lobby, names, self._tier.takes_test)
        now_ms = before.time_ms(self._clock.now_ms())
        events, seated = self._fill(before.lobby, requests, now_ms, given_up)
        if only_changes and not events:
            return False
        checks = self._sit_nowhere(request for request in seated if request in new_players)
        returned = (given_up.get(request.alien_id) for request in seated)
        checks += [invoice_check(invoice) for invoice in returned if invoice is not None]
        await self._settle(before, events, now_ms, seated, checks)
        return True

    async def _open(self, requests: Sequence[SeatRequest]) -> None:
        """Open a lobby for as many as it has seats, provided that they sit nowhere by then, and
        that no other has a free seat."""
        tier = self._tier
        lobby_id = ids.lobby_id(tier.table, os.urandom(6))
        opening = OpenLobby(lobby_id, tier.buy_in_amount, tier.variant, os.urandom(32).hex())
        now_ms = self._clock.now_ms()
        opened = open_lobby(opening, now_ms)
        events, seated = self._fill(evolve(None, opened), requests, now_ms, {})
        checks = [
            self._directory.none_open_check(tier.table, self._others),
            *self._sit_nowhere(seated),
        ]
        nothing = Snapshot(None, LOG_START)
        try:
            await self._settle(nothing, [opened, *events], now_ms, seated, checks)
        except StoreUnavailable as error:
            fail(requests, error)

    def _fill(
        self,
        lobby: Lobby,
        requests: Iterable[SeatRequest],
        now_ms: float,
        given_up: Mapping[str, Invoice],
    ) -> tuple[list[Event], list[SeatRequest]]:
        """What seats these requests, up to the first for whom there is no seat. Those who may have
        no new one now are told so."""
        events: list[Event] = []
        seated: list[SeatRequest] = []
        for request in requests:
            if request.answer.done():
                continue
            known = given_up.get(request.alien_id)
            command = self._tier.seat(request.alien_id, request.client_seed, lobby.lobby_id, known)
            decided = decide(lobby, command, now_ms)
            if isinstance(decided, Refused):
                break
            if decided and not request.permit.given():
                answer([request], Refused(ErrorCode.RATE_LIMITED))
                continue
            lobby = reduce(evolve, decided, lobby)
            events += decided
            seated.append(request)
        return events, seated

    def _sit_nowhere(self, requests: Iterable[SeatRequest]) -> list[Check]:
        table = self._tier.table
        return [self._directory.unseated_check(table, request.alien_id) for request in requests]

    async def _settle(
        self,
        before: Snapshot,
        events: Sequence[Event],
        now_ms: float,
        seated: Sequence[SeatRequest],
        checks: Sequence[Check],
    ) -> None:
        """Answer those who are seated, unless the lobby has changed meanwhile."""
        if not seated:
            return
        if events:
            changed = await self._lobbies.commit(before, events, now_ms, checks=checks)
        else:
            changed = Changed(before)
        if changed is not None:
            answer(seated, changed)


def _groups(requests: Sequence[SeatRequest], size: int) -> Iterator[Sequence[SeatRequest]]:
    return (requests[start : start + size] for start in range(0, len(requests), size))
