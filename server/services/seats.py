"""Seats: joining a tier, taking a seat in one lobby, giving it up."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass

from protocol import ids
from protocol.errors import ErrorCode, Refused
from protocol.views import Invoice
from server.clock import StoreClock
from server.rules.commands import Leave, OpenLobby, TakeSeat
from server.rules.decide import decide, open_lobby
from server.rules.evolve import evolve
from server.rules.lobby import Lobby
from server.rules.variants import Variant
from server.services.billing import Billing
from server.services.lobbies import ATTEMPTS, Changed, Lobbies
from server.services.locks import Locks
from server.store.directory import Directory
from server.store.errors import StoreUnavailable
from server.store.log import NOTHING, Snapshot

_LOOK_ELSEWHERE = (ErrorCode.LOBBY_FULL, ErrorCode.LOBBY_CLOSED, ErrorCode.UNKNOWN_LOBBY)


@dataclass(frozen=True, slots=True)
class Seated:
    """A seat: the lobby it is in, as of its room event `seq`, and what to pay for it."""

    lobby: Lobby
    seq: int
    invoice: Invoice


class Seats:
    """Where players sit. `tiers`: the variant that each buy-in plays; `takes_test`: whether new
    invoices may be paid by test payments."""

    def __init__(
        self,
        lobbies: Lobbies,
        directory: Directory,
        billing: Billing,
        clock: StoreClock,
        tiers: Mapping[int, Variant],
        *,
        takes_test: bool,
    ) -> None:
        self._lobbies = lobbies
        self._directory = directory
        self._billing = billing
        self._clock = clock
        self._tiers = tiers
        self._takes_test = takes_test
        self._locks = Locks()

    async def join(self, alien_id: str, buy_in_amount: int, client_seed: str) -> Seated | Refused:
        """Seat a player in the fullest forming lobby of the tier, or in a new one; who sits in one
        already keeps that seat."""
        if buy_in_amount not in self._tiers:
            return Refused(ErrorCode.UNKNOWN_TIER)
        async with self._locks.hold(str(buy_in_amount)):
            for _ in range(ATTEMPTS):
                seated = await self._join_once(alien_id, buy_in_amount, client_seed)
                if isinstance(seated, Changed):
                    return await self._with_invoice(seated, alien_id)
                if seated is not None and seated.code not in _LOOK_ELSEWHERE:
                    return seated
        return Refused(ErrorCode.UNAVAILABLE)

    async def take(self, alien_id: str, buy_in_amount: int, lobby_id: str) -> Seated | Refused:
        """The player's seat in that lobby, taken now if it forms and has room."""
        if buy_in_amount not in self._tiers:
            return Refused(ErrorCode.UNKNOWN_TIER)
        if not ids.is_lobby_id(lobby_id) or ids.lobby_table(lobby_id) != str(buy_in_amount):
            return Refused(ErrorCode.UNKNOWN_LOBBY)
        seated = await self._lobbies.carry_out(lobby_id, self._command(alien_id, "", lobby_id))
        if isinstance(seated, Refused):
            return seated
        return await self._with_invoice(seated, alien_id)

    async def leave(self, alien_id: str, lobby_id: str) -> Changed | Refused:
        """Give the player's seat up."""
        return await self._lobbies.carry_out(lobby_id, Leave(alien_id))

    async def _join_once(
        self, alien_id: str, buy_in_amount: int, client_seed: str
    ) -> Changed | Refused | None:
        table = str(buy_in_amount)
        seated_in, fullest = await asyncio.gather(
            self._directory.seated_in(table, alien_id), self._directory.fullest(table)
        )
        lobby_id = seated_in or fullest
        if lobby_id is None:
            return await self._open(alien_id, buy_in_amount, client_seed)
        command = self._command(alien_id, client_seed, lobby_id)
        unseated = self._directory.unseated_check(table, alien_id)
        return await self._lobbies.attempt(
            await self._lobbies.stored(lobby_id),
            lambda lobby, now_ms: decide(lobby, command, now_ms),
            checks=() if seated_in else (unseated,),
        )

    async def _open(self, alien_id: str, buy_in_amount: int, client_seed: str) -> Changed | None:
        table = str(buy_in_amount)
        lobby_id = ids.lobby_id(table, os.urandom(6))
        opening = OpenLobby(
            lobby_id, buy_in_amount, self._tiers[buy_in_amount], os.urandom(32).hex()
        )
        now_ms = self._clock.now_ms()
        opened = open_lobby(opening, now_ms)
        first_seat = decide(
            evolve(None, opened), self._command(alien_id, client_seed, lobby_id), now_ms
        )
        if isinstance(first_seat, Refused):
            raise RuntimeError(f"a new lobby refused its first player: {first_seat.code}")
        checks = [
            self._directory.none_open_check(table),
            self._directory.unseated_check(table, alien_id),
        ]
        return await self._lobbies.commit(
            Snapshot(None, NOTHING), [opened, *first_seat], now_ms, checks=checks
        )

    def _command(self, alien_id: str, client_seed: str, lobby_id: str) -> TakeSeat:
        invoice_id = ids.invoice_id(lobby_id, os.urandom(8))
        return TakeSeat(alien_id, client_seed, invoice_id, self._takes_test)

    async def _with_invoice(self, seated: Changed, alien_id: str) -> Seated:
        invoice = await self._billing.invoice_of(seated.snapshot, alien_id)
        if invoice is None:
            raise StoreUnavailable("the invoice of a seat is gone")
        return Seated(seated.lobby, seated.snapshot.head.seq, invoice)
