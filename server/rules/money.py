"""Money: what each event moves in the ledger, and what it means for the invoices.

At every moment: received = pot + payout_owed + refund_owed + house, each summed over the ledger.
Every function here returns movements that keep this balance by themselves.
"""

from dataclasses import dataclass
from typing import Final, Literal, assert_never, get_args

from protocol.views import InvoiceStatus
from server.rules.coins import Coins
from server.rules.events import (
    CALLED_OFF,
    ArrangingBegan,
    BeaconAwaited,
    BeaconChosen,
    BeaconMixed,
    Event,
    FormingExtended,
    GameFinished,
    GameStarted,
    GridArranged,
    LobbyOpened,
    NumberCalled,
    NumbersSelected,
    PlayerKicked,
    PlayerLeft,
    SeatPaid,
    SeatTaken,
)
from server.rules.lobby import Lobby, Player

Kind = Literal["received", "pot", "payout_owed", "refund_owed", "house", "settled"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

_AFTER_LEAVING: dict[str, InvoiceStatus] = {
    "left": "cancelled",
    "kicked": "cancelled",
    "unpaid": "expired",
    "expired": "expired",
    "payment_failed": "failed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One entry of the ledger: `amount` in coins. `tx` is the payment it comes from; without one
    it comes from the lobby's event. `test`: not real money."""

    kind: Kind
    amount: Coins
    alien_id: str | None = None
    invoice_id: str | None = None
    tx: str | None = None
    test: bool = False


@dataclass(frozen=True, slots=True)
class InvoiceUpdate:
    """An invoice's new status; `refunded`: what paid the seat, all that the invoice asked for, is
    owed back."""

    invoice_id: str
    status: InvoiceStatus
    refunded: bool = False


def movements(before: Lobby, event: Event) -> tuple[Movement, ...]:
    """What `event` moves, in a lobby that stood as `before`."""
    match event:
        case SeatPaid():
            return _paid_in(before, event)
        case PlayerLeft(alien_id=alien_id):
            forming = before.status == "forming"  # later, the buy-in stays in the pot
            return _paid_back(before, before.players[alien_id]) if forming else ()
        case GameFinished(outcome=outcome) if outcome in CALLED_OFF:
            refunds = (_paid_back(before, player) for player in before.players.values())
            return tuple(movement for refund in refunds for movement in refund)
        case GameFinished():
            return _paid_out(before, event)
        case LobbyOpened() | SeatTaken() | FormingExtended() | ArrangingBegan():
            return ()
        case BeaconChosen() | BeaconAwaited() | BeaconMixed():
            return ()
        case NumbersSelected() | GridArranged() | GameStarted() | NumberCalled() | PlayerKicked():
            return ()
    assert_never(event)


def invoice_updates(before: Lobby, event: Event) -> tuple[InvoiceUpdate, ...]:
    """What `event` means for invoices that exist, in a lobby that stood as `before`."""
    match event:
        case SeatPaid():
            return _seat_paid(before, event)
        case PlayerLeft(alien_id=alien_id, reason=reason):
            forming = before.status == "forming"  # later, its invoice stays paid
            player = before.players[alien_id]
            return (_seat_given_up(player, _AFTER_LEAVING[reason]),) if forming else ()
        case GameFinished(outcome=outcome) if outcome in CALLED_OFF:
            players = before.players.values()
            return tuple(_seat_given_up(player, "expired") for player in players)
        case LobbyOpened() | SeatTaken() | FormingExtended() | ArrangingBegan() | GameFinished():
            return ()
        case BeaconChosen() | BeaconAwaited() | BeaconMixed():
            return ()
        case NumbersSelected() | GridArranged() | GameStarted() | NumberCalled() | PlayerKicked():
            return ()
    assert_never(event)


def _seat_paid(lobby: Lobby, event: SeatPaid) -> tuple[InvoiceUpdate, ...]:
    """A seat may be paid by an earlier invoice, late: the one that held it is void then."""
    paid = InvoiceUpdate(event.invoice_id, "paid")
    held_by = lobby.players[event.alien_id].invoice_id
    return (paid,) if held_by == event.invoice_id else (InvoiceUpdate(held_by, "cancelled"), paid)


def _seat_given_up(player: Player, unpaid: InvoiceStatus) -> InvoiceUpdate:
    if player.paid:
        return InvoiceUpdate(player.invoice_id, "refund_owed", refunded=True)
    return InvoiceUpdate(player.invoice_id, unpaid)


def _paid_in(lobby: Lobby, event: SeatPaid) -> tuple[Movement, ...]:
    def movement(kind: Kind, tx: str | None) -> Movement:
        return Movement(
            kind=kind,
            amount=lobby.buy_in_amount,
            alien_id=event.alien_id,
            invoice_id=event.invoice_id,
            tx=tx,
            test=event.test,
        )

    return movement("received", event.tx_hash), movement("pot", None)


def _paid_back(lobby: Lobby, player: Player) -> tuple[Movement, ...]:
    if not player.paid:
        return ()

    def movement(kind: Kind, amount: int) -> Movement:
        return Movement(
            kind=kind,
            amount=amount,
            alien_id=player.alien_id,
            invoice_id=player.invoice_id,
            test=player.test,
        )

    return movement("pot", -lobby.buy_in_amount), movement("refund_owed", lobby.buy_in_amount)


def _paid_out(lobby: Lobby, event: GameFinished) -> tuple[Movement, ...]:
    test = any(player.test for player in lobby.paid_players())
    kind: Kind = "payout_owed" if event.outcome == "won" else "house"
    return (
        Movement(kind="pot", amount=-lobby.pot, test=test),
        Movement(kind=kind, amount=lobby.pot, alien_id=event.winner, test=test),
    )
