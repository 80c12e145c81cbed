"""Seats: joining a tier, taking a seat in one lobby, giving it up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from protocol import ids
from protocol.errors import ErrorCode, Refused
from protocol.views import Invoice
from server.rules.commands import Leave
from server.rules.decide import decide
from server.rules.events import Event
from server.rules.lobby import Lobby
from server.rules.variants import Variant
from server.runtime.clock import StoreClock
from server.services.billing import Billing
from server.services.lobbies import ATTEMPTS, Changed, Decision, Lobbies
from server.services.matchmaker import Matchmaker
from server.services.seat_requests import JoinPermit, MayJoin
from server.services.tiers import Tier
from server.store.directory import Directory
from server.store.errors import StoreUnavailable
from server.store.invoices import invoice_check


@dataclass(frozen=True, slots=True)
class Seated:
    """A seat: the lobby it is in, as of its room event `seq`, and what to pay for it."""

    lobby: Lobby
    seq: int
    invoice: Invoice


class Seats:
    """Where players sit. `tiers`: the variant that each buy-in plays; `takes_test`: whether new
    invoices may be paid by test payments; `may_join`: whether a player may take one more seat."""

    def __init__(
        self,
        lobbies: Lobbies,
        directory: Directory,
        billing: Billing,
        clock: StoreClock,
        tiers: Mapping[int, Variant],
        may_join: MayJoin,
        *,
        takes_test: bool,
    ) -> None:
        self._lobbies = lobbies
        self._billing = billing
        self._may_join = may_join
        self._tiers = {
            buy_in_amount: Tier(buy_in_amount, variant, takes_test)
            for buy_in_amount, variant in tiers.items()
        }
        self._matchmakers = {
            buy_in_amount: Matchmaker(lobbies, directory, billing, clock, tier, may_join)
            for buy_in_amount, tier in self._tiers.items()
        }

    async def join(self, alien_id: str, buy_in_amount: int, client_seed: str) -> Seated | Refused:
        """Seat a player in the fullest forming lobby of the tier, or in a new one; who sits in one
        already keeps that seat."""
        matchmaker = self._matchmakers.get(buy_in_amount)
        if matchmaker is None:
            return Refused(ErrorCode.UNKNOWN_TIER)
        seated = await matchmaker.seat(alien_id, client_seed)
        return seated if isinstance(seated, Refused) else await self._with_invoice(seated, alien_id)

    async def take(self, alien_id: str, buy_in_amount: int, lobby_id: str) -> Seated | Refused:
        """The player's seat in that lobby, taken now if it forms and has room. In a tier that is
        no longer offered only a seat that is held is to be had."""
        tier = self._tiers.get(buy_in_amount)
        if not ids.is_lobby_id(lobby_id) or ids.lobby_table(lobby_id) != str(buy_in_amount):
            return Refused(ErrorCode.UNKNOWN_TIER if tier is None else ErrorCode.UNKNOWN_LOBBY)
        if tier is None:
            seated = await self._lobbies.change(lobby_id, _held_by(alien_id))
            if seated == Refused(ErrorCode.UNKNOWN_LOBBY):
                return Refused(ErrorCode.UNKNOWN_TIER)
        else:
            seated = await self._take(tier, alien_id, lobby_id)
        return seated if isinstance(seated, Refused) else await self._with_invoice(seated, alien_id)

    async def _take(self, tier: Tier, alien_id: str, lobby_id: str) -> Changed | Refused:
        permit = JoinPermit(self._may_join, alien_id)
        async with self._lobbies.hold(lobby_id):
            for _ in range(ATTEMPTS):
                seated = await self._try_to_take(tier, alien_id, lobby_id, permit)
                if seated is not None:
                    return seated
        return Refused(ErrorCode.UNAVAILABLE)

    async def _try_to_take(
        self, tier: Tier, alien_id: str, lobby_id: str, permit: JoinPermit
    ) -> Changed | Refused | None:
        """Try once; None: the lobby, or an invoice that was given up there, has changed since."""
        before = await self._lobbies.stored(lobby_id)
        if before.lobby is None:
            return Refused(ErrorCode.UNKNOWN_LOBBY)
        given_up = await self._billing.given_up(before.lobby, [alien_id], tier.takes_test)
        known = given_up.get(alien_id)
        command = tier.seat(alien_id, "", lobby_id, known)

        def decision(lobby: Lobby, now_ms: float) -> Sequence[Event] | Refused:
            decided = decide(lobby, command, now_ms)
            if isinstance(decided, Refused) or not decided or permit.granted():
                return decided
            return Refused(ErrorCode.RATE_LIMITED)

        checks = [] if known is None else [invoice_check(known)]
        return await self._lobbies.attempt(before, decision, checks=checks)

    async def leave(self, alien_id: str, lobby_id: str) -> Changed | Refused:
        """Give the player's seat up."""
        return await self._lobbies.carry_out(lobby_id, Leave(alien_id))

    async def _with_invoice(self, seated: Changed, alien_id: str) -> Seated:
        invoice = await self._billing.invoice_of(seated.snapshot, alien_id)
        if invoice is None:
            raise StoreUnavailable("the invoice of a seat is gone")
        return Seated(seated.lobby, seated.snapshot.position.seq, invoice)


def _held_by(alien_id: str) -> Decision:
    """Changes nothing where the player holds a seat, and takes none."""

    def decision(lobby: Lobby, now_ms: float) -> Sequence[Event] | Refused:
        player = lobby.players.get(alien_id)
        if player is None or not (player.paid or player.expires_at > now_ms):
            return Refused(ErrorCode.UNKNOWN_TIER)
        return () if lobby.status == "forming" else Refused(ErrorCode.LOBBY_CLOSED)

    return decision
