import asyncio

from redis.asyncio import Redis

from server.services.payout_news import PayoutNews
from server.store.ledger import LedgerEntry
from tests.support.game import TABLE, Node
from tests.support.payouts import owe
from tests.support.wait import until


async def test_the_news_of_tables_that_are_found_while_it_opens_comes(
    node: Node, redis: Redis
) -> None:
    told: list[str] = []
    news = PayoutNews(
        node.subscription, lambda: [TABLE, "7000"], lambda alien_id, _: told.append(alien_id)
    )
    opening = asyncio.create_task(news.open())
    await asyncio.sleep(0)  # it has asked the store
    news.tables_found()
    await opening
    payout_id = await owe(redis, 1, alien_id="ann")
    entry = await node.stores.ledger.entry(payout_id.removeprefix("po_").replace("_", ":", 1))
    assert isinstance(entry, LedgerEntry)
    await until(lambda: node.stores.ledger.settle(entry, "tx-1", node.clock.now_ms()))
    await until(lambda: told == ["ann"])
    news.close()
