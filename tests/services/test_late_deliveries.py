"""Deliveries about invoices that are in the books only."""

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from redis.asyncio import Redis

from protocol.errors import ErrorCode, Refused
from protocol.payments import WebhookAnswer
from server.books.engine import Books
from server.books.schema import ledger
from server.services.past_in_books import PastInBooks
from server.store import keys
from server.store.past_ledger import PastLedger
from tests.services.archives import archive_over, move_all, rows
from tests.support.game import BUY_IN, CLASSIC, StartNode, calling, is_over, paid
from tests.support.wait import until


class SlowPast(PastInBooks):
    """Says when it has read an invoice, and goes on with it when it may."""

    def __init__(self, books: Books, store: PastLedger) -> None:
        super().__init__(books, store)
        self.has_read, self.may_go_on = asyncio.Event(), asyncio.Event()

    async def invoice(self, invoice_id: str) -> Any:
        """See `Past`."""
        found = await super().invoice(invoice_id)
        self.has_read.set()
        await self.may_go_on.wait()
        return found


async def test_two_servers_count_a_late_payment_once_however_soon_invoices_move(
    start_node: StartNode, store_url: str, books_url: str, books: Books, redis: Redis
) -> None:
    pasts: list[SlowPast] = []

    def slow_past(store: PastLedger) -> SlowPast:
        pasts.append(SlowPast(books, store))
        return pasts[-1]

    common = {"tiers": {BUY_IN: replace(CLASSIC, lobby_ttl_ms=200)}, "DATABASE_URL": books_url}
    slow = await start_node(store_url, **common, past_of=slow_past)
    quick = await start_node(store_url, **common, past_of=partial(PastInBooks, books))
    archive = archive_over(quick, books, invoice_hot_seconds=0)
    seated = await quick.sit("ann")
    async with calling(quick):
        await until(lambda: is_over(quick, seated.lobby.lobby_id))
    await move_all(archive)
    assert not await redis.exists(keys.invoice(seated.invoice.invoice_id))

    said = paid(seated)
    late = asyncio.create_task(slow.deliver(said))
    await pasts[0].has_read.wait()
    for payment in (said, paid(seated, txHash="another")):
        counted = await quick.deliver(payment)
        assert counted == WebhookAnswer(processed=True, reason="refund_owed")
    await move_all(archive)
    pasts[0].may_go_on.set()
    assert await late == WebhookAnswer(processed=False, reason="already_processed")
    await move_all(archive)
    owed = [row for row in await rows(books, ledger) if row.kind == "refund_owed"]
    assert len(owed) == 2


@pytest.mark.parametrize("name", ["a\x00b", "", "x" * 60_000, "inv_3500_000000000000_00\x00"])
async def test_a_payment_of_an_invoice_of_any_name_is_kept_as_unmatched(
    start_node: StartNode, store_url: str, books_url: str, books: Books, redis: Redis, name: str
) -> None:
    past_of = partial(PastInBooks, books)
    node = await start_node(store_url, DATABASE_URL=books_url, past_of=past_of)
    said = paid(await node.sit("ann"), invoice=name)
    assert await node.deliver(said) == Refused(ErrorCode.UNKNOWN_INVOICE)
    assert await redis.hlen(keys.UNMATCHED) == 1
