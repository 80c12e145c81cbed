"""Invoices in the store, and what deliveries about them write beside the lobby."""

from collections.abc import Mapping, Sequence
from typing import Final

from protocol.ids import invoice_table
from server.rules.payments import Delivery, Invoice, Receipt
from server.store import codec, keys
from server.store.channels import Channels
from server.store.commits import Check, Commits, log_check
from server.store.connection import Connection
from server.store.errors import NotUnderstood
from server.store.log import Snapshot, encode_invoice_change
from server.store.projection import Write, ledger_writes

RETURNED_STAYS_MS: Final = 5_000
"""How long an invoice that came back from the books stays in the store at least. A delivery that
found it in the books only is decided within a second (`MAX_DECISION_AGE_MS`) and then finds that it
is here: so the same payment counts once, however soon invoices move."""


class InvoiceStore:
    """What the store knows of invoices and of payments that belong to none."""

    def __init__(
        self, connection: Connection, commits: Commits, channels: Channels, *, books: bool = False
    ) -> None:
        self._connection = connection
        self._commits = commits
        self._channels = channels
        self._books = books

    async def load(self, invoice_id: str) -> Invoice | None:
        """The invoice; None if it is not ours or forgotten. Raises NotUnderstood."""
        if invoice_table(invoice_id) is None:
            return None
        fields = await self._connection.call("HGETALL", keys.invoice(invoice_id))
        # A lobby that outlives an invoice may still note the end of its seat there.
        if "invoice_id" not in fields:
            return None
        try:
            return codec.read_invoice(fields)
        except (LookupError, ValueError) as error:
            raise NotUnderstood(f"{invoice_id}: {codec.why(error)}") from None

    async def keep_unmatched(self, tx: str, raw_body: str) -> None:
        """Keep a payment that belongs to no seat, for ever; once, however often it comes."""
        is_new = await self._commits.acknowledged("HSETNX", keys.UNMATCHED, tx, raw_body)
        if not is_new:  # whoever wrote it may not know
            kept = await self._connection.call("HGET", keys.UNMATCHED, tx)
            unchanged = Check(("HGET", keys.UNMATCHED, tx), kept or "")
            await self._commits.confirm(keys.UNMATCHED, [unchanged])

    async def confirm(self, invoice_id: str, unchanged: Check) -> None:
        """Return when the replicas have all that was read of an invoice, which is `unchanged`.
        Raises StoreUnavailable."""
        await self._commits.confirm(invoice_table(invoice_id) or "", [unchanged])

    async def commit(
        self,
        lobby: Snapshot,
        invoice: Invoice,
        checks: Sequence[Check],
        writes: Sequence[Write],
        now_ms: float,
        *,
        came_back: bool = False,
    ) -> bool:
        """Make writes about an invoice true that change nothing of its lobby, and publish that it
        changed; False if the lobby is no longer as it was, or a check fails. `came_back`: it was in
        the books only, and whoever decides from there must find it here for a while."""
        unchanged = [log_check(invoice.lobby_id, lobby), *checks]
        channel, change = keys.events(invoice.lobby_id), encode_invoice_change(invoice.alien_id)
        further: list[Write] = [(self._channels.publish, channel, change)]
        if self._books:  # it has to move (again)
            table = invoice_table(invoice.invoice_id) or ""
            closed_ms = now_ms + RETURNED_STAYS_MS if came_back else now_ms
            # "GT": another payment soon after one that brought it back does not let it go earlier.
            closed = ("ZADD", keys.closed_invoices(table), "GT", closed_ms, invoice.invoice_id)
            further.insert(0, closed)
        return await self._commits.commit(unchanged, [*writes, *further], now_ms)


def invoice_check(invoice: Invoice) -> Check:
    """That no other delivery about the invoice was recorded since it was loaded."""
    command = ("HGET", keys.invoice(invoice.invoice_id), "version")
    return Check(command, invoice.version)


def returned(fields: Mapping[str, str]) -> tuple[Check, Write]:
    """What brings an invoice back that had moved into the books: that it is in the store no more,
    and its hash."""
    key = keys.invoice(fields["invoice_id"])
    flat = (part for field in fields.items() for part in field)
    return Check(("EXISTS", key), "0"), ("HSET", key, *flat)


def receipt_writes(
    invoice: Invoice, delivery: Delivery, receipt: Receipt, now_ms: float
) -> list[Write]:
    """What a recorded delivery writes beside the events of the lobby."""
    key = keys.invoice(invoice.invoice_id)
    table = invoice_table(invoice.invoice_id) or ""
    writes: list[Write] = [
        ("HSET", key, codec.delivery_field(delivery.key), str(receipt.owed_units)),
        ("HINCRBY", key, "version", 1),
    ]
    if receipt.status is not None:
        writes.append(("HSET", key, "status", receipt.status))
    if receipt.status == "refund_owed":
        writes.append(("HSET", key, "tx_hash", delivery.tx))
    for movement in receipt.movements:
        writes += ledger_writes(table, invoice.lobby_id, movement, now_ms, None)
    return writes
