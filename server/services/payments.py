"""Payments: what becomes of a delivery whose signature and form are right."""

from collections.abc import Mapping, Sequence
from typing import Final

from protocol.errors import ErrorCode, Refused
from protocol.ids import invoice_lobby, invoice_table, lobby_table, table_tier
from protocol.payments import WebhookAnswer
from server.rules.events import Event
from server.rules.payments import Delivery, Invoice, Terms, receive, seats_again
from server.runtime.clock import StoreClock
from server.services.admissions import Admissions
from server.services.limits import SpendingLimits
from server.services.lobbies import Lobbies
from server.services.past import Past
from server.store.codec import read_invoice
from server.store.commits import Check
from server.store.errors import StoreUnavailable
from server.store.invoices import InvoiceStore, invoice_check, receipt_writes, returned
from server.store.log import LOG_START, Snapshot
from server.store.projection import Write

_ATTEMPTS: Final = 100
_NOWHERE: Final = Snapshot(None, LOG_START)


class Payments:
    """Takes deliveries: each counts once, and whatever came in is in the ledger."""

    def __init__(
        self,
        lobbies: Lobbies,
        invoices: InvoiceStore,
        terms: Terms,
        admissions: Admissions,
        limits: SpendingLimits,
        clock: StoreClock,
        past: Past | None = None,
    ) -> None:
        self._lobbies = lobbies
        self._invoices = invoices
        self._terms = terms
        self._admissions = admissions
        self._limits = limits
        self._clock = clock
        self._past = past

    async def deliver(self, delivery: Delivery, raw_body: bytes) -> WebhookAnswer | Refused:
        """Record a delivery and do what follows from it; `raw_body` is what was signed.

        When this returns an answer, all of it is in the store. Raises StoreUnavailable when that
        is not known; the delivery may then be repeated.
        """
        lobby_id = invoice_lobby(delivery.invoice_id)
        async with self._lobbies.hold(lobby_id or delivery.invoice_id):
            for attempt in range(_ATTEMPTS):
                # Before the invoice, whose status follows from the lobby: if that is still the same
                # when this is committed, then so is the invoice.
                load = self._lobbies.last_known if attempt == 0 else self._lobbies.stored
                lobby = _NOWHERE if lobby_id is None else await load(lobby_id)
                answer = await self._deliver_once(delivery, raw_body, lobby)
                if answer is not None:
                    return answer
        raise StoreUnavailable("the invoice kept changing")

    async def _deliver_once(
        self,
        delivery: Delivery,
        raw_body: bytes,
        lobby: Snapshot,
    ) -> WebhookAnswer | Refused | None:
        """What the delivery led to; None: nothing, since `lobby` is outdated."""
        decided_at_ms = self._clock.now_ms()
        invoice, moved = await self._load(delivery.invoice_id)
        if delivery.test and (invoice is None or not invoice.takes_test):
            return WebhookAnswer(processed=False, reason="test_payment")
        if invoice is None:
            if delivery.status == "finalized":
                await self._keep_unmatched(delivery, raw_body)
            return Refused(ErrorCode.UNKNOWN_INVOICE)
        # What the books said counts from before they were asked, so that it is outdated in time.
        now_ms = lobby.time_ms(self._clock.now_ms()) if moved is None else decided_at_ms
        may_sit, checks = await self._may_sit(lobby, invoice, delivery)
        receipt = receive(lobby.lobby, invoice, delivery, self._terms, now_ms, may_sit=may_sit)
        if receipt.unmatched:
            await self._keep_unmatched(delivery, raw_body)
        writes = receipt_writes(invoice, delivery, receipt, now_ms)
        checks.append(invoice_check(invoice))
        if moved is not None:
            checks[-1], back = returned(moved)
            writes.insert(0, back)
        if not receipt.recorded:
            # Whoever recorded it may not know.
            await self._invoices.confirm(invoice.invoice_id, checks[-1])
        elif receipt.events:
            if not await self._changed(lobby, receipt.events, checks, writes, now_ms):
                return None
        elif not await self._invoices.commit(
            lobby, invoice, checks, writes, now_ms, came_back=moved is not None
        ):
            return None
        return WebhookAnswer(processed=receipt.processed, reason=receipt.reason)

    async def _load(self, invoice_id: str) -> tuple[Invoice | None, Mapping[str, str] | None]:
        """The invoice, if there is one, and its fields if it has moved into the books."""
        invoice, moved = await self._invoices.load(invoice_id), None
        is_ours = invoice_table(invoice_id) is not None  # else nobody has ever had it
        if invoice is None and is_ours and self._past is not None:
            moved = await self._past.invoice(invoice_id)
            invoice = None if moved is None else read_invoice(moved)
        return invoice, moved

    async def _may_sit(
        self, lobby: Snapshot, invoice: Invoice, delivery: Delivery
    ) -> tuple[bool, list[Check]]:
        """Whether the delivery may seat its player again, if it would, and what that rests on."""
        if not seats_again(lobby.lobby, invoice, delivery):
            return True, []
        admission = await self._admissions.of(lobby_table(invoice.lobby_id), [invoice.alien_id])
        price = table_tier(lobby_table(invoice.lobby_id))
        refused = admission.new_seat(invoice.alien_id)
        may_sit = (refused or await self._limits.new_seat(invoice.alien_id, price)) is None
        return may_sit, [admission.unchanged]

    async def _changed(
        self,
        lobby: Snapshot,
        events: Sequence[Event],
        checks: Sequence[Check],
        writes: Sequence[Write],
        now_ms: float,
    ) -> bool:
        changed = await self._lobbies.commit(lobby, events, now_ms, checks=checks, writes=writes)
        return changed is not None

    async def _keep_unmatched(self, delivery: Delivery, raw_body: bytes) -> None:
        # Of a provider whose bodies are no UTF-8, so that whoever looks at them sees each byte.
        text = raw_body.decode(errors="backslashreplace")
        await self._invoices.keep_unmatched(delivery.tx, text)
