"""A game whose log does not hold stays in the store, and so does all of a table when the books or
the store went back in time."""

import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from server.books.engine import Books
from server.books.schema import games, seats
from server.services.archiving import OutOfStep
from server.store import keys
from tests.services.archives import DUEL, Archives, move_all, play, rows
from tests.support.game import BUY_IN, TABLE, Node, StartNode


@pytest.fixture
async def node(start_node: StartNode, store_url: str, books_url: str) -> Node:
    """A node with books, on an empty store."""
    return await start_node(store_url, tiers={BUY_IN: DUEL}, DATABASE_URL=books_url)


async def test_a_log_that_was_altered_is_neither_moved_nor_let_go(
    node: Node, books: Books, archive_of: Archives, redis: Redis
) -> None:
    good, bad = await play(node, ("ann", "bob"), ("cid", "dan"))
    await redis.hset(keys.lobby(bad), "pot", "1")
    archive = archive_of()
    await move_all(archive)
    assert [row.lobby_id for row in await rows(books, games)] == [good]
    assert await redis.exists(keys.lobby(bad), keys.events(bad)) == 2
    assert archive.broken == 1


async def test_games_move_in_one_pass_however_few_are_read_at_once(
    node: Node, books: Books, archive_of: Archives, redis: Redis
) -> None:
    first, bad, last = await play(node, ("ann", "bob"), ("cid", "dan"), ("eve", "fay"))
    await redis.hset(keys.lobby(bad), "pot", "1")
    gone = "lobby_3500_000000000000"
    await redis.zadd(keys.ended(TABLE), {gone: 1})
    archive = archive_of(games_at_once=1)
    moved = await archive.move(TABLE)
    assert moved is not None
    assert (moved.games, archive.broken) == (2, 1)
    assert {row.lobby_id for row in await rows(books, games)} == {first, last}
    assert len(await rows(books, seats)) == 4
    assert await redis.zrange(keys.ended(TABLE), 0, -1) == [bad]


async def test_a_store_that_went_back_in_time_stops_the_archive_of_its_table(
    node: Node, archive_of: Archives, redis: Redis
) -> None:
    await play(node, ("ann", "bob"))
    await move_all(archive_of())
    await redis.delete(keys.ledger(TABLE))
    await node.seat("cid")
    with pytest.raises(OutOfStep, match="the store went back in time"):
        await archive_of().move(TABLE)


async def test_books_that_went_back_in_time_stop_the_archive_of_a_table(
    node: Node, books: Books, archive_of: Archives
) -> None:
    await play(node, ("ann", "bob"))
    await move_all(archive_of())
    async with books.begin() as connection:
        await connection.execute(text("TRUNCATE cursors, games, records, seats, ledger"))
    with pytest.raises(OutOfStep, match="the books went back in time"):
        await archive_of().move(TABLE)
