"""Who is paid is notified at the front desk of whichever server they are on."""

from contextlib import AsyncExitStack

from redis.asyncio import Redis

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.store.ledger import LedgerEntry
from tests.support.game import Node, StartNode, starting_nodes
from tests.support.payouts import owe
from tests.support.store_content import command
from tests.support.wait import until
from tests.system.game_server import running_app


async def settle(node: Node, payout_id: str, reference: str) -> None:
    entry_id = payout_id.removeprefix("po_").replace("_", ":", 1)
    entry = await node.stores.ledger.entry(entry_id)
    assert isinstance(entry, LedgerEntry)
    # A time that is late by a second is not taken.
    await until(lambda: node.stores.ledger.settle(entry, reference, node.clock.now_ms()))


async def test_a_payment_reaches_every_connection_of_its_player_on_any_server(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(Redis.from_url(store_url, decode_responses=True))
        start: StartNode = await stack.enter_async_context(starting_nodes())
        # 90 is a tier that nobody offers any more.
        paid = await owe(redis, 1, alien_id="ann")
        refunded = await owe(redis, 2, "90.25", table="90", kind="refund_owed", alien_id="ann")
        servers = [
            await stack.enter_async_context(running_app(store_url, issuer, provider))
            for _ in range(2)
        ]
        visitors = [
            await stack.enter_async_context(server.visitor(name))
            for server, name in zip((*servers, *servers), ("ann", "ann", "bob", "ann"), strict=True)
        ]
        for visitor in visitors:
            await visitor.enter("lobbies")
            await visitor.receives("lobbies")
        node = await start(store_url)
        await node.tables.read()
        await settle(node, paid, "tx-1")
        for place in (0, 1, 3):
            assert await visitors[place].receives("payout") == {
                "lobby_id": "lobby_3500_000000000001",
                "amount": 7000,
                "status": "settled",
                "reference": "tx-1",
            }
        news = "SPUBLISH" if node.stores.channels.sharded else "PUBLISH"
        for nonsense in ("7", "{}", '{"alien_id": "ann", "amount": "x"}'):
            await command(redis, news, "front_desk:payouts:{3500}", nonsense)
        await settle(node, refunded, "tx-2")
        for place in (0, 1, 3):
            await until(lambda place=place: len(visitors[place].of("payout")) == 2)  # type: ignore[misc]
            assert visitors[place].of("payout")[-1]["amount"] == 90.25
        assert visitors[2].of("payout") == []
