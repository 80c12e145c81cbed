"""What a delivery of the payment provider does: the first row that fits decides.

Its signature, its form and the existence of its invoice are checked before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from protocol.ids import lobby_table, table_tier
from protocol.payments import NotProcessed
from protocol.views import InvoiceStatus
from server.rules.coins import coins_of
from server.rules.events import Event, PlayerLeft, SeatPaid, SeatTaken
from server.rules.lobby import Lobby
from server.rules.money import Movement
from server.rules.phases import begin_if_complete, end_lapsed_seats
from server.rules.turn import Turn

_FINAL: tuple[InvoiceStatus, ...] = ("paid", "refund_owed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How payments must come in: to whom, in what, and over what."""

    recipient: str
    token: str
    network: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """What the store knows of an invoice, for as long as it keeps it. Times are Unix ms.

    `units` is the amount asked for in the token's smallest unit, `owed_units` what is owed back of
    it, `deliveries` the keys of those already recorded. `version` is another after each of them.
    `recipient`, `token` and `network` are the terms that it was issued with, where that was noted.
    """

    invoice_id: str
    alien_id: str
    lobby_id: str
    units: int
    status: InvoiceStatus
    created_at: int
    expires_at: int
    takes_test: bool = False
    owed_units: int = 0
    tx_hash: str | None = None
    client_seed: str = ""
    deliveries: frozenset[str] = frozenset()
    version: str = ""
    recipient: str | None = None
    token: str | None = None
    network: str | None = None

    def terms(self, today: Terms) -> Terms:
        """How it is to be paid: as its player was asked to, whatever the settings are by now."""
        return Terms(
            recipient=self.recipient or today.recipient,
            token=self.token or today.token,
            network=self.network or today.network,
        )

    @property
    def decimals(self) -> int:
        """How many decimals a coin has in `units`: it asks for its tier with so many zeros. It
        keeps them, whatever the setting is by now."""
        tier = table_tier(lobby_table(self.lobby_id))
        return len(str(self.units)) - len(str(tier))


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a payment provider, whichever it is, says of an invoice. `key` is the same for the same
    delivery; `tx` is the transaction, or what stands for it; `units` are of the smallest that the
    token has."""

    invoice_id: str
    key: str
    status: Literal["finalized", "failed"]
    tx: str
    test: bool
    units: int | None = None
    decimals: int | None = None
    recipient: str | None = None
    network: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What follows from a delivery: the answer, events of the lobby, and what becomes of the
    invoice beside them. With `recorded` false the delivery was known and nothing changes;
    with `unmatched` it has to be kept aside as well."""

    processed: bool
    reason: NotProcessed | Literal["refund_owed"] | None = None
    recorded: bool = True
    unmatched: bool = False
    events: Sequence[Event] = ()
    status: InvoiceStatus | None = None
    owed_units: int = 0
    movements: Sequence[Movement] = field(default=())


def receive(
    lobby: Lobby | None,
    invoice: Invoice,
    delivery: Delivery,
    terms: Terms,
    now_ms: float,
    *,
    may_sit: bool = True,
) -> Receipt:
    """Decide a delivery about `invoice`, whose lobby is None when it is gone. `terms` are those of
    invoices that are issued now. `now_ms` (Unix ms) is rounded down: events carry whole
    milliseconds. `may_sit`: whether a seat that is held no more may be taken again."""
    if delivery.key in invoice.deliveries:
        return Receipt(processed=False, reason="already_processed", recorded=False)
    if delivery.status == "failed":
        return _failed(lobby, invoice)
    not_ours = _mismatch(invoice, delivery, invoice.terms(terms))
    if not_ours is not None:
        return Receipt(processed=False, reason=not_ours, unmatched=True)
    if delivery.units != invoice.units:
        return _owed_back(invoice, delivery, processed=False, reason="amount_mismatch")
    if lobby is not None:
        turn = Turn(lobby)
        if _pay_seat(turn, invoice, delivery, int(now_ms), may_sit=may_sit):
            return Receipt(processed=True, events=turn.events)
    return _owed_back(invoice, delivery, processed=True, reason="refund_owed")


def _failed(lobby: Lobby | None, invoice: Invoice) -> Receipt:
    if invoice.status in _FINAL:
        return Receipt(processed=False)
    player = None if lobby is None else lobby.players.get(invoice.alien_id)
    holds_seat = player is not None and player.invoice_id == invoice.invoice_id
    if lobby is not None and lobby.status == "forming" and holds_seat:
        left = PlayerLeft(invoice.alien_id, "payment_failed")
        return Receipt(processed=True, events=[left], status="failed")
    gone = invoice.status == "cancelled"
    return Receipt(processed=True, status=None if gone else "failed")


def _mismatch(invoice: Invoice, delivery: Delivery, terms: Terms) -> NotProcessed | None:
    if delivery.recipient not in (None, terms.recipient):
        return "recipient_mismatch"
    if delivery.network not in (None, terms.network):
        return "network_mismatch"
    if delivery.decimals not in (None, invoice.decimals):
        return "decimals_mismatch"
    return "amount_missing" if delivery.units is None else None


def seats_again(lobby: Lobby | None, invoice: Invoice, delivery: Delivery) -> bool:
    """Whether a delivery would take a seat for its player, who holds none."""
    if lobby is None or lobby.status != "forming" or delivery.status != "finalized":
        return False
    return invoice.alien_id not in lobby.players


def _pay_seat(
    turn: Turn, invoice: Invoice, delivery: Delivery, now_ms: int, *, may_sit: bool
) -> bool:
    if turn.lobby.status != "forming" or invoice.status not in ("pending", "expired", "failed"):
        return False
    seated = turn.lobby.players.get(invoice.alien_id)
    if seated is None and not may_sit:
        return False
    if seated is None:
        end_lapsed_seats(turn, now_ms)
        if turn.lobby.full:
            return False
        turn.add(_seat_again(invoice, now_ms))
    elif seated.paid:
        return False
    turn.add(SeatPaid(invoice.alien_id, invoice.invoice_id, delivery.tx, delivery.test))
    begin_if_complete(turn, now_ms)
    return True


def _seat_again(invoice: Invoice, now_ms: int) -> SeatTaken:
    return SeatTaken(
        alien_id=invoice.alien_id,
        client_seed=invoice.client_seed,
        invoice_id=invoice.invoice_id,
        joined_at=now_ms,
        expires_at=invoice.expires_at,
        takes_test=invoice.takes_test,
    )


def _owed_back(
    invoice: Invoice,
    delivery: Delivery,
    *,
    processed: bool,
    reason: Literal["amount_mismatch", "refund_owed"],
) -> Receipt:
    units = delivery.units or 0
    late = reason == "refund_owed" and invoice.status != "paid"

    def movement(kind: Literal["received", "refund_owed"]) -> Movement:
        return Movement(
            kind=kind,
            amount=coins_of(units, invoice.decimals),
            alien_id=invoice.alien_id,
            invoice_id=invoice.invoice_id,
            tx=delivery.tx,
            test=delivery.test,
        )

    return Receipt(
        processed=processed,
        reason=reason,
        status="refund_owed" if late else None,
        owed_units=units,
        movements=(movement("received"), movement("refund_owed")) if units else (),
    )
