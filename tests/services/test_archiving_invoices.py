"""Invoices move when they are closed and their lobbies are over, whatever comes in meanwhile."""

from collections.abc import Sequence

import pytest
from redis.asyncio import Redis

from protocol.ids import invoice_id
from protocol.payments import WebhookAnswer
from server.books.engine import Books
from server.books.schema import invoices
from server.rules.commands import Void
from server.services.archiving import Archive
from server.store import keys
from server.store.past_games import PastGames
from tests.services.archives import DUEL, Archives, archive_over, play, rows
from tests.support.game import BUY_IN, TABLE, Node, StartNode, paid
from tests.support.wait import until


@pytest.fixture
async def node(start_node: StartNode, store_url: str, books_url: str) -> Node:
    """A node with books, on an empty store."""
    return await start_node(store_url, tiers={BUY_IN: DUEL}, DATABASE_URL=books_url)


async def test_invoices_of_running_lobbies_keep_no_others_from_moving(
    node: Node, redis: Redis
) -> None:
    await play(node, ("cid", "dan"))
    running = (await node.seat("ann"))[0].invoice.invoice_id
    assert await redis.zadd(keys.closed_invoices(TABLE), {running: 1}) == 0  # before all others
    found = await node.stores.past_games.closed_invoices(TABLE, node.clock.now_ms() + 1_000, 1)
    assert [fields["alien_id"] in ("cid", "dan") for fields in found.values()] == [True]


async def test_an_invoice_that_changes_meanwhile_is_moved_again(
    node: Node, books: Books, archive_of: Archives, redis: Redis
) -> None:
    seated = await node.sit("ann")
    await node.seats.leave("ann", seated.lobby.lobby_id)
    version = str(await redis.hget(keys.invoice(seated.invoice.invoice_id), "version"))
    late = paid(seated)
    assert await node.deliver(late) == WebhookAnswer(processed=True, reason="refund_owed")
    # What another archive moved before the delivery does not let go of what came with it.
    changed = seated.invoice.invoice_id
    other = await node.sit("bob")
    await node.seats.leave("bob", other.lobby.lobby_id)
    unchanged = other.invoice.invoice_id
    its_version = str(await redis.hget(keys.invoice(unchanged), "version"))
    await node.stores.past_games.let_go_of_invoices(
        TABLE, {unchanged: its_version, changed: version}
    )
    assert await redis.exists(keys.invoice(changed))
    assert not await redis.exists(keys.invoice(unchanged))


class VoidedMeanwhile(PastGames):
    """Asks which lobbies run when an operator has just ended one of them."""

    def __init__(self, node: Node, lobby_id: str) -> None:
        super().__init__(node.connection, node.commits)
        self._node, self._lobby_id = node, lobby_id

    async def running(self, table: str, lobby_ids: Sequence[str]) -> set[str]:
        """See `PastGames`."""
        await self._node.lobbies.carry_out(self._lobby_id, Void())
        return await super().running(table, lobby_ids)


async def test_an_invoice_whose_lobby_ends_while_it_is_read_moves_as_that_end_left_it(
    node: Node, books: Books
) -> None:
    (seated,) = await node.seat("ann")  # paid, so closed
    node.stores.past_games = VoidedMeanwhile(node, seated.lobby.lobby_id)
    archive = archive_over(node, books)
    await until(lambda: has_moved_invoices(archive))
    (row,) = await rows(books, invoices)
    assert (row.status, row.fields["status"]) == ("refund_owed", "refund_owed")
    assert int(row.fields["refunded_units"]) > 0


async def has_moved_invoices(archive: Archive) -> bool:
    moved = await archive.move(TABLE)
    return moved is not None and moved.invoices > 0


async def test_an_invoice_that_a_delivery_brought_back_is_not_forgotten(
    node: Node, redis: Redis
) -> None:
    seated = await node.sit("ann")
    await node.seats.leave("ann", seated.lobby.lobby_id)
    back, gone = seated.invoice.invoice_id, invoice_id(seated.lobby.lobby_id, bytes(8))
    index = keys.closed_invoices(TABLE)
    await redis.zadd(index, {gone: 1})
    # Another archive found both gone; since then a delivery has brought one of them back.
    await node.stores.past_games.forget_invoices(TABLE, [back, gone])
    assert await redis.zrange(index, 0, -1) == [back]
