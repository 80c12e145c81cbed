"""What is owed and has left the store is known there until it is settled."""

from dataclasses import replace

from server.books.engine import Books
from server.rules.commands import Tick
from server.services.ledger_trim import SETTLED_STAYS_MS
from server.store.ledger import LedgerEntry
from tests.services.archives import DUEL, archive_over, move_all
from tests.support.game import BUY_IN, TABLE, Node, StartNode, is_over
from tests.support.wait import until

SHORT = replace(DUEL, lobby_ttl_ms=1_500)


async def pay_in_vain(node: Node, player: str) -> None:
    """Pay a seat in a lobby of the player's own, which is cancelled when its time is over."""
    (seated,) = await node.seat(player)
    lobby_id = seated.lobby.lobby_id
    await node.wait_until_past(seated.lobby.closes_at)

    async def is_cancelled() -> bool:
        await node.lobbies.carry_out(lobby_id, Tick())
        return await is_over(node, lobby_id)

    await until(is_cancelled)


async def test_what_is_owed_and_left_the_store_is_remembered_until_it_is_settled(
    start_node: StartNode, store_url: str, books_url: str, books: Books
) -> None:
    node = await start_node(store_url, tiers={BUY_IN: SHORT}, DATABASE_URL=books_url)
    past, ledgers = node.stores.past_ledger, node.stores.ledger
    archive = archive_over(node, books)
    for player in ("ann", "bob"):
        await pay_in_vain(node, player)
    entries = [entry async for page in ledgers.pages(TABLE) for entry in page]
    first, second = [e for e in entries if isinstance(e, LedgerEntry) and e.owed]
    await move_all(archive)
    # The second is the last entry of all, which stays to show where the books stand.
    assert {*(await past.checkpoint(TABLE)).owed} == {first.stream_id}

    await until(lambda: ledgers.settle(first, "tx-of-payout", node.clock.now_ms()))
    await move_all(archive)
    assert await ledgers.settled([first]) == {first.entry_id: "tx-of-payout"}
    await node.wait_until_past(node.clock.now_ms() + SETTLED_STAYS_MS)
    await until(lambda: ledgers.settle(second, "tx-of-another", node.clock.now_ms()))
    await move_all(archive)
    assert {*(await past.checkpoint(TABLE)).owed} == {second.stream_id}
    assert await ledgers.settled([first, second]) == {second.entry_id: "tx-of-another"}


async def test_what_is_owed_is_counted_however_soon_it_left_the_store(
    start_node: StartNode, store_url: str, books_url: str, books: Books
) -> None:
    node = await start_node(store_url, tiers={BUY_IN: SHORT}, DATABASE_URL=books_url)
    past, ledgers, stats = node.stores.past_ledger, node.stores.ledger, node.cluster_stats
    archive = archive_over(node, books)
    owed: dict[str, LedgerEntry] = {}

    async def is_counted() -> bool:
        return stats.owed_coins().get((str(BUY_IN), "refund_owed")) == BUY_IN * len(owed)

    stats.start()
    await until(is_counted)
    for player in ("ann", "bob", "cem"):
        await pay_in_vain(node, player)
        found = [entry async for page in ledgers.pages(TABLE) for entry in page]
        owed |= {e.entry_id: e for e in found if isinstance(e, LedgerEntry) and e.owed}
        await move_all(archive)
    assert len((await past.checkpoint(TABLE)).owed) == len(owed) - 1 == 2
    await until(is_counted)
    await stats.stop()
