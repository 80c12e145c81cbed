"""The usher: seats those who want to join a tier, all who wait at once.

One after the other, each would wait for the store's answers to everybody before; together they
need one look at the directory, and one commit for each lobby that they fill, new ones all at once.
"""

import asyncio
import os
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Final

from protocol import ids
from protocol.errors import ErrorCode, Refused
from server.clock import StoreClock
from server.rules.commands import OpenLobby, TakeSeat
from server.rules.decide import decide, open_lobby
from server.rules.events import Event
from server.rules.evolve import evolve
from server.rules.lobby import Lobby
from server.rules.variants import Variant
from server.services.lobbies import ATTEMPTS, Changed, Lobbies
from server.store.commits import Check
from server.store.directory import Directory
from server.store.log import NOTHING, Snapshot

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

    def seat(self, alien_id: str, client_seed: str, lobby_id: str) -> TakeSeat:
        """The command to seat a player, with a new invoice id."""
        invoice_id = ids.invoice_id(lobby_id, os.urandom(8))
        return TakeSeat(alien_id, client_seed, invoice_id, self.takes_test)


@dataclass(slots=True, eq=False)
class _Guest:
    alien_id: str
    client_seed: str
    answer: "asyncio.Future[Changed | Refused]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    attempts: int = 0


class Usher:
    """Seats the guests of one tier in the order in which they came."""

    def __init__(
        self, lobbies: Lobbies, directory: Directory, clock: StoreClock, tier: Tier
    ) -> None:
        self._lobbies = lobbies
        self._directory = directory
        self._clock = clock
        self._tier = tier
        self._others: set[str] = set()  # lobbies with a free seat that play by other rules
        self._waiting: deque[_Guest] = deque()
        self._task: asyncio.Task[None] | None = None

    async def seat(self, alien_id: str, client_seed: str) -> Changed | Refused:
        """Seat a player in the fullest forming lobby, or in a new one; who sits in one already
        keeps that seat. Raises StoreUnavailable."""
        guest = _Guest(alien_id, client_seed)
        self._waiting.append(guest)
        if self._task is None:
            self._task = asyncio.create_task(self._seat_all())
        return await guest.answer

    async def _seat_all(self) -> None:
        # Also those who have just come are let down: else each in the line would wait in turn for
        # a store that hangs.
        try:
            while guests := self._next():
                await self._seat_some(guests)
        except Exception as error:  # noqa: BLE001 - each of those who wait gets it
            _disappoint(self._waiting, error)
            self._waiting.clear()
        finally:
            self._task = None

    def _next(self) -> list[_Guest]:
        """Those who have waited longest and still wait. They stay in the line until answered."""
        next_ones: list[_Guest] = []
        while self._waiting and len(next_ones) < _AT_ONCE:
            guest = self._waiting.popleft()
            if not guest.answer.done():
                next_ones.append(guest)
        self._waiting.extendleft(reversed(next_ones))
        return next_ones

    async def _seat_some(self, guests: Sequence[_Guest]) -> None:
        table = self._tier.table
        fullest, *seated_in = await asyncio.gather(
            self._directory.fullest(table, self._others),
            *(self._directory.seated_in(table, guest.alien_id) for guest in guests),
        )
        strangers: list[_Guest] = []
        residents: defaultdict[str, list[_Guest]] = defaultdict(list)
        for guest, lobby_id in zip(guests, seated_in, strict=True):
            (strangers if lobby_id is None else residents[lobby_id]).append(guest)
        rounds = [self._seat_in(lobby_id, those, ()) for lobby_id, those in residents.items()]
        await asyncio.gather(*rounds, self._seat_strangers(strangers, fullest))
        _lose_patience(guests)

    async def _seat_strangers(self, strangers: Sequence[_Guest], fullest: str | None) -> None:
        """Seat those who sit nowhere in the fullest lobby that plays what is offered now, and the
        others in new ones."""
        while strangers and fullest is not None:
            await self._seat_in(fullest, strangers, strangers)
            if fullest not in self._others:
                break
            fullest = await self._directory.fullest(self._tier.table, self._others)
        left = [guest for guest in strangers if not guest.answer.done()]
        # In this order: all but the last are full at once, and so let the next one open.
        await asyncio.gather(*map(self._open, _groups(left, self._tier.variant.max_players)))

    async def _seat_in(
        self, lobby_id: str, guests: Sequence[_Guest], strangers: Sequence[_Guest]
    ) -> None:
        """Seat as many as there is room for, provided that the `strangers` among them sit nowhere
        by then."""
        async with self._lobbies.hold(lobby_id):
            if not any(guest.attempts for guest in guests):
                # What this node remembers may be old: it serves for a change, and only once.
                known = await self._lobbies.snapshot(lobby_id)
                if await self._seat_on(known, guests, strangers, only_changes=True):
                    return
            stored = await self._lobbies.stored(lobby_id)
            await self._seat_on(stored, guests, strangers, only_changes=False)

    async def _seat_on(
        self,
        before: Snapshot,
        guests: Sequence[_Guest],
        strangers: Sequence[_Guest],
        *,
        only_changes: bool,
    ) -> bool:
        """Seat guests on what is known of a lobby; whether that was tried."""
        if before.lobby is None:
            return False
        if strangers and not before.lobby.variant.plays_like(self._tier.variant):
            self._others.add(before.lobby.lobby_id)
            return True
        now_ms = max(self._clock.now_ms(), before.head.at)
        events, seated = self._fill(before.lobby, guests, now_ms)
        if only_changes and not events:
            return False
        checks = self._sit_nowhere(guest for guest in seated if guest in strangers)
        await self._settle(before, events, now_ms, seated, checks)
        return True

    async def _open(self, guests: Sequence[_Guest]) -> None:
        """Open a lobby for as many as it has seats, provided that they sit nowhere by then, and
        that no other has a free seat."""
        tier = self._tier
        lobby_id = ids.lobby_id(tier.table, os.urandom(6))
        opening = OpenLobby(lobby_id, tier.buy_in_amount, tier.variant, os.urandom(32).hex())
        now_ms = self._clock.now_ms()
        opened = open_lobby(opening, now_ms)
        events, seated = self._fill(evolve(None, opened), guests, now_ms)
        checks = [
            self._directory.none_open_check(tier.table, self._others),
            *self._sit_nowhere(seated),
        ]
        nothing = Snapshot(None, NOTHING)
        await self._settle(nothing, [opened, *events], now_ms, seated, checks)

    def _fill(
        self, lobby: Lobby, guests: Iterable[_Guest], now_ms: float
    ) -> tuple[list[Event], list[_Guest]]:
        """What seats these guests, up to the first for whom there is no seat."""
        events: list[Event] = []
        seated: list[_Guest] = []
        for guest in guests:
            command = self._tier.seat(guest.alien_id, guest.client_seed, lobby.lobby_id)
            decided = decide(lobby, command, now_ms)
            if isinstance(decided, Refused):
                break
            lobby = reduce(evolve, decided, lobby)
            events += decided
            seated.append(guest)
        return events, seated

    def _sit_nowhere(self, guests: Iterable[_Guest]) -> list[Check]:
        table = self._tier.table
        return [self._directory.unseated_check(table, guest.alien_id) for guest in guests]

    async def _settle(
        self,
        before: Snapshot,
        events: Sequence[Event],
        now_ms: float,
        seated: Sequence[_Guest],
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
            _answer(seated, changed)


def _groups(guests: Sequence[_Guest], size: int) -> Iterator[Sequence[_Guest]]:
    return (guests[start : start + size] for start in range(0, len(guests), size))


def _answer(guests: Iterable[_Guest], answer: Changed | Refused) -> None:
    for guest in guests:
        if not guest.answer.done():
            guest.answer.set_result(answer)


def _disappoint(guests: Iterable[_Guest], error: Exception) -> None:
    for guest in guests:
        if not guest.answer.done():
            guest.answer.set_exception(error)


def _lose_patience(guests: Iterable[_Guest]) -> None:
    for guest in guests:
        guest.attempts += 1
        if guest.attempts >= ATTEMPTS:
            _answer([guest], Refused(ErrorCode.UNAVAILABLE))
