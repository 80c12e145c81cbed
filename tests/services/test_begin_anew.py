"""A table whose store went back in time follows on what the books have, and the audit holds."""

from dataclasses import replace

import pytest
from redis.asyncio import Redis

from server.books.engine import Books
from server.books.moving import lock_cursor
from server.dev.payout_service import DevPayoutService
from server.services.archiving import OutOfStep
from server.services.audit import Audit
from server.services.past import NotToBegin, WholeLedger
from server.services.past_in_books import PastInBooks
from server.store import keys
from server.store.ledger import LedgerEntry
from server.store.past_ledger import START
from tests.services.archives import archive_over, move_all, play
from tests.services.payout_world import payout_world
from tests.support.game import BRISK, BUY_IN, TABLE, Node, StartNode


async def test_a_table_whose_keys_were_deleted_follows_on_what_the_books_have(
    start_node: StartNode, store_url: str, books_url: str, books: Books, redis: Redis
) -> None:
    common = {"tiers": {BUY_IN: replace(BRISK, max_players=2)}, "DATABASE_URL": books_url}
    node = await start_node(store_url, **common)
    past = PastInBooks(books, node.stores.past_ledger)
    with pytest.raises(NotToBegin, match="begins by itself"):
        await past.begin_anew(TABLE)
    seated = (await node.seat("eve"))[0]
    await node.seats.leave("eve", seated.lobby.lobby_id)  # that is owed to her
    await play(node, ("ann", "bob"))
    await move_all(archive_over(node, books))
    with pytest.raises(NotToBegin, match="only then delete its keys"):
        await past.begin_anew(TABLE)
    (owed,) = await moved_debts(node)

    deleted = [key async for key in redis.scan_iter(match=f"*{{{TABLE}}}*")]
    await redis.delete(*deleted)
    with pytest.raises(OutOfStep, match="the store went back in time"):
        await archive_over(node, books).move(TABLE)
    last_id = await past.begin_anew(TABLE)
    assert await redis.hget(keys.checkpoint(TABLE), "last_id") == last_id
    assert await moved_debts(node) == [owed]

    node = await start_node(store_url, **common)
    await play(node, ("cid", "dan"))
    await move_all(archive_over(node, books))
    whole = WholeLedger(node.stores.ledger, node.stores.past_ledger, past)
    report = await Audit(whole, node.store, node.directory).run([TABLE])
    assert (report.tables[0].total.received, report.problems) == (5 * BUY_IN, [])


async def moved_debts(node: Node) -> list[str]:
    """What the store remembers as owed of what it let go."""
    return [*(await node.stores.past_ledger.checkpoint(TABLE)).owed]


async def test_a_payout_whose_settlement_was_lost_with_the_store_is_settled_again_and_not_sent(
    start_node: StartNode, store_url: str, books_url: str, redis: Redis
) -> None:
    service = DevPayoutService(pays_after_seconds=0)
    async with payout_world(start_node, store_url, books_url, redis, service) as world:
        (payout_id,) = await world.owe(7000)
        await world.pay_all()
        paid, asked = await world.settlements(), len(service.requests)
        deleted = [key async for key in redis.scan_iter(match=f"*{{{TABLE}}}*")]
        await redis.delete(*deleted)
        assert world.side.past is not None
        await world.side.past.begin_anew(TABLE)

        entry = await world.ledger.entry(payout_id.removeprefix("po_").replace("_", ":", 1))
        assert isinstance(entry, LedgerEntry)
        refused = await world.desk.settle(entry, "by hand")
        assert refused == f"it was paid by {paid[payout_id][0]}: settle it with that reference"
        await world.pay_all()
        assert await world.settlements() == paid
        assert len(service.requests) == asked


async def test_a_table_does_not_begin_anew_while_an_archive_moves_it(
    start_node: StartNode, store_url: str, books_url: str, books: Books, redis: Redis
) -> None:
    async with payout_world(start_node, store_url, books_url, redis) as world:
        await world.owe(7000)
        assert world.side.past is not None
        async with books.begin() as connection:
            assert await lock_cursor(connection, TABLE, START) is not None
            with pytest.raises(NotToBegin, match="an archive moves"):
                await world.side.past.begin_anew(TABLE)
