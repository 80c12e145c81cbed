"""Seats: joining a tier, taking a seat in one lobby, giving it up."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from protocol import ids
from protocol.errors import ErrorCode, Refused
from protocol.views import Invoice
from server.rules.commands import Leave
from server.rules.decide import decide
from server.rules.events import Event
from server.rules.lobby import Lobby
from server.runtime.clock import StoreClock
from server.services.admissions import Admissions
from server.services.billing import Billing
from server.services.limits import SpendingLimits
from server.services.lobbies import ATTEMPTS, Changed, Decision, Lobbies
from server.services.matchmaker import Matchmaker
from server.services.other_tables import OtherTables
from server.services.seat_requests import JoinPermit, MayJoin
from server.services.seating import Seating
from server.services.tiers import Tier
from server.store.directory import Directory, Seat
from server.store.errors import StoreUnavailable
from server.store.invoices import invoice_check
from server.store.limits import HeldSeat
from server.store.tables import Tables


@dataclass(frozen=True, slots=True)
class Seated:
    """A seat: the lobby it is in, as of its room event `seq`, and what to pay for it."""

    lobby: Lobby
    seq: int
    invoice: Invoice


class Seats:
    """Where players sit. `tiers`: what each buy-in plays; `tables`: those that there are;
    `may_join`: whether a player may take one more seat; `look_seconds`: for so long another table
    is waited for."""

    def __init__(
        self,
        lobbies: Lobbies,
        directory: Directory,
        billing: Billing,
        admissions: Admissions,
        clock: StoreClock,
        limits: SpendingLimits,
        tiers: Iterable[Tier],
        tables: Tables,
        may_join: MayJoin,
        look_seconds: float,
    ) -> None:
        self._lobbies = lobbies
        self._limits = limits
        self._billing = billing
        self._admissions = admissions
        self._may_join = may_join
        self._tiers = {tier.buy_in_amount: tier for tier in tiers}
        self._others = {
            buy_in_amount: OtherTables(directory, tables, tier, look_seconds)
            for buy_in_amount, tier in self._tiers.items()
        }
        self._matchmakers = {
            table: Matchmaker(
                Seating(lobbies, directory, billing, admissions, clock, tier, table),
                directory,
                admissions,
                table,
                self._others[amount].seats,
                may_join,
            )
            for amount, tier in self._tiers.items()
            for table in tier.tables
        }

    async def join(self, alien_id: str, buy_in_amount: int, client_seed: str) -> Seated | Refused:
        """Seat a player in the fullest forming lobby of their table of the tier, or in a new one;
        who sits in one of the tier already keeps that seat."""
        tier = self._tiers.get(buy_in_amount)
        if tier is None:
            return Refused(ErrorCode.UNKNOWN_TIER)

        def is_of_tier(seat: HeldSeat) -> bool:
            return seat.buy_in_amount == buy_in_amount

        async with self._limits.admission(alien_id, buy_in_amount, is_of_tier) as leave:
            return leave.refused or await self._join(tier, alien_id, client_seed, leave.only_kept)

    async def _join(
        self, tier: Tier, alien_id: str, client_seed: str, only_kept: bool
    ) -> Seated | Refused:
        matchmaker = self._matchmakers[tier.table_of(alien_id)]
        for _ in range(ATTEMPTS):
            joined = await matchmaker.seat(alien_id, client_seed, only_kept=only_kept)
            if isinstance(joined, Refused):
                return joined
            kept = await self._seat_to_keep(tier, joined, alien_id)
            if kept is None:
                return await self._with_invoice(joined, alien_id)
            await self._lobbies.carry_out(joined.lobby.lobby_id, Leave(alien_id))
        return Refused(ErrorCode.UNAVAILABLE)

    async def _seat_to_keep(self, tier: Tier, joined: Changed, alien_id: str) -> Seat | None:
        """The seat elsewhere, if any, that the player keeps instead of the one just taken."""
        new = joined.new_seat(alien_id)
        if new is None:
            return None
        taken = Seat(new.joined_at, joined.lobby.lobby_id)
        return await self._others[tier.buy_in_amount].seat_to_keep(alien_id, taken)

    async def take(self, alien_id: str, buy_in_amount: int, lobby_id: str) -> Seated | Refused:
        """The player's seat in that lobby, taken now if it forms and has room. In a tier that is
        no longer offered only a seat that is held is to be had."""
        tier = self._tiers.get(buy_in_amount)
        if not ids.is_lobby_id(lobby_id) or _tier_of(lobby_id) != buy_in_amount:
            return Refused(ErrorCode.UNKNOWN_TIER if tier is None else ErrorCode.UNKNOWN_LOBBY)
        if tier is None:
            banned = (await self._admissions.of(ids.lobby_table(lobby_id), [alien_id])).banned(
                alien_id
            )
            if banned is not None:
                return banned
            seated = await self._lobbies.change(lobby_id, _held_by(alien_id))
            if seated == Refused(ErrorCode.UNKNOWN_LOBBY):
                return Refused(ErrorCode.UNKNOWN_TIER)
        else:

            def is_there(seat: HeldSeat) -> bool:
                return seat.lobby_id == lobby_id

            async with self._limits.admission(alien_id, buy_in_amount, is_there) as leave:
                seated = leave.refused or await self._take(
                    tier, alien_id, lobby_id, leave.only_kept
                )
        return seated if isinstance(seated, Refused) else await self._with_invoice(seated, alien_id)

    async def _take(
        self, tier: Tier, alien_id: str, lobby_id: str, only_kept: bool
    ) -> Changed | Refused:
        permit = JoinPermit(self._may_join, alien_id)
        async with self._lobbies.hold(lobby_id):
            for _ in range(ATTEMPTS):
                seated = await self._try_to_take(tier, alien_id, lobby_id, permit, only_kept)
                if seated is not None:
                    return seated
        return Refused(ErrorCode.UNAVAILABLE)

    async def _try_to_take(
        self, tier: Tier, alien_id: str, lobby_id: str, permit: JoinPermit, only_kept: bool
    ) -> Changed | Refused | None:
        """Try once; None: the lobby, or an invoice that was given up there, has changed since."""
        before, admission = await asyncio.gather(
            self._lobbies.stored(lobby_id),
            self._admissions.of(ids.lobby_table(lobby_id), [alien_id]),
        )
        if before.lobby is None:
            return Refused(ErrorCode.UNKNOWN_LOBBY)
        banned = admission.banned(alien_id)
        if banned is not None:
            return banned
        given_up = await self._billing.given_up(before.lobby, [alien_id], tier.takes_test)
        known = given_up.get(alien_id)
        command = tier.seat(alien_id, "", lobby_id, known)

        def decision(lobby: Lobby, now_ms: float) -> Sequence[Event] | Refused:
            decided = decide(lobby, command, now_ms)
            if isinstance(decided, Refused) or not decided:
                return decided
            if only_kept:  # it was given up meanwhile
                return Refused(ErrorCode.UNAVAILABLE)
            refused = admission.new_seat(alien_id)
            if refused is None and not permit.granted():
                refused = Refused(ErrorCode.RATE_LIMITED)
            return decided if refused is None else refused

        checks = [admission.unchanged]
        checks += [] if known is None else [invoice_check(known)]
        return await self._lobbies.attempt(before, decision, checks=checks)

    async def leave(self, alien_id: str, lobby_id: str) -> Changed | Refused:
        """Give the player's seat up."""
        return await self._lobbies.carry_out(lobby_id, Leave(alien_id))

    async def _with_invoice(self, seated: Changed, alien_id: str) -> Seated:
        await self._lobbies.confirm(seated)
        invoice = await self._billing.invoice_of_seat(seated, alien_id)
        if invoice is None:
            raise StoreUnavailable("the invoice of a seat is gone")
        return Seated(seated.lobby, seated.snapshot.position.seq, invoice)


def _tier_of(lobby_id: str) -> int:
    return ids.table_tier(ids.lobby_table(lobby_id))


def _held_by(alien_id: str) -> Decision:
    """Changes nothing where the player holds a seat, and takes none."""

    def decision(lobby: Lobby, now_ms: float) -> Sequence[Event] | Refused:
        player = lobby.players.get(alien_id)
        if player is None or not (player.paid or player.expires_at > now_ms):
            return Refused(ErrorCode.UNKNOWN_TIER)
        return () if lobby.status == "forming" else Refused(ErrorCode.LOBBY_CLOSED)

    return decision
