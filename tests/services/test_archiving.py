"""The archive: everything that is over is in the books, once, and only then leaves the store."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from server.books.engine import Books
from server.books.moving import EMPTY_HASH
from server.books.rows import entry_hash
from server.books.schema import cursors, games, invoices, ledger, records, seats, unmatched
from server.rules.commands import Claim, Void
from server.rules.verify import verify_proof
from server.services.archiving import Moved
from server.services.game_files import game_file, verify_document
from server.services.lobbies import Changed
from server.store import keys
from tests.services.archives import DUEL, Archives, archive_over, is_active, move_all, play, rows
from tests.support.game import BUY_IN, TABLE, Node, StartNode, calling, paid, raw_body
from tests.support.store_content import command, store_content
from tests.support.wait import until

ALL = (games, records, seats, ledger, invoices)


@pytest.fixture
async def node(start_node: StartNode, store_url: str, books_url: str) -> Node:
    """A node with books, on an empty store."""
    return await start_node(store_url, tiers={BUY_IN: DUEL}, DATABASE_URL=books_url)


async def test_what_is_over_is_in_the_books_and_has_left_the_store(
    node: Node, books: Books, archive_of: Archives, redis: Redis
) -> None:
    lobbies = await play(node, ("ann", "bob"), ("cid", "dan"))
    stream = await command(redis, "XRANGE", keys.ledger(TABLE), "-", "+")
    before = await store_content(redis)
    moved = await move_all(archive_of())
    assert moved == Moved(len(stream), 2, 4)

    written = await rows(books, games)
    assert sorted(row.lobby_id for row in written) == sorted(lobbies)
    for row in written:
        assert row.outcome == "no_winner"
        assert (row.pot, row.player_count, row.calls) == (2 * BUY_IN, 2, 50)
        assert verify_proof(row.proof) == []
    assert [(row.alien_id, row.won, row.paid_in, row.paid_out) for row in await rows(books, seats)]
    for record in await rows(books, records):
        log = before[keys.events(record.lobby_id)][0]
        assert record.log == [{"id": entry_id, **fields} for entry_id, fields in log]
        assert record.hash == before[keys.lobby(record.lobby_id)][0]["hash"]
    assert [
        (row.entry_id, row.fields) for row in sorted(await rows(books, ledger), key=in_order)
    ] == [(f"{TABLE}:{stream_id}", fields) for stream_id, fields in stream]
    kept = {row.invoice_id: row.fields for row in await rows(books, invoices)}
    assert kept == {
        fields["invoice_id"]: fields
        for key, (fields, _) in before.items()
        if key.startswith("invoice:")
    }

    left = await store_content(redis)
    assert {*left} <= {keys.ledger(TABLE), keys.checkpoint(TABLE)}
    assert len(left[keys.ledger(TABLE)][0]) == 1


async def test_a_voided_game_is_in_the_books_without_pot_and_proof_and_its_record_holds(
    start_node: StartNode, store_url: str, books_url: str, books: Books, redis: Redis
) -> None:
    slow = replace(DUEL, call_interval_ms=600_000)
    node = await start_node(store_url, tiers={BUY_IN: slow}, DATABASE_URL=books_url)
    lobby_id = (await node.seat("ann", "bob"))[0].lobby.lobby_id
    async with calling(node):
        await until(lambda: is_active(node, lobby_id))
    await node.lobbies.carry_out(lobby_id, Claim("bob"))
    assert isinstance(await node.lobbies.carry_out(lobby_id, Void()), Changed)
    file = await game_file(node.store, lobby_id)
    assert file is not None
    assert (file.proof, verify_document(file.model_dump())) == (None, [])

    await move_all(archive_over(node, books))
    (game,) = await rows(books, games)
    assert (game.outcome, game.winner, game.pot, game.proof) == ("voided", None, 0, None)
    sat = {
        (row.alien_id, row.kicked, row.paid_in, row.paid_out) for row in await rows(books, seats)
    }
    assert sat == {("ann", False, BUY_IN, 0), ("bob", True, BUY_IN, 0)}
    owed = [row for row in await rows(books, ledger) if row.kind == "refund_owed"]
    assert {(row.alien_id, row.amount) for row in owed} == {("ann", BUY_IN), ("bob", BUY_IN)}
    assert await command(redis, "EXISTS", keys.proof(lobby_id)) == 0


def in_order(row: Any) -> tuple[int, int]:
    return row.stream_ms, row.stream_seq


async def test_the_chain_vouches_for_every_entry_and_the_cursor_for_the_last(
    node: Node, books: Books, archive_of: Archives
) -> None:
    await play(node, ("ann", "bob"))
    await move_all(archive_of())
    chained = EMPTY_HASH
    for row in sorted(await rows(books, ledger), key=in_order):
        chained = entry_hash(chained, row.entry_id.partition(":")[2], row.fields)
        assert row.hash == chained
    (cursor,) = await rows(books, cursors)
    assert cursor.hash == chained
    assert cursor.entries == len(await rows(books, ledger))


async def test_nothing_of_a_lobby_that_is_not_over_leaves_the_store(
    node: Node, books: Books, archive_of: Archives, redis: Redis
) -> None:
    running = (await node.seat("ann"))[0]
    stream = await command(redis, "XRANGE", keys.ledger(TABLE), "-", "+")
    before = await store_content(redis)
    await move_all(archive_of())
    assert len(await rows(books, ledger)) == len(stream)
    assert await store_content(redis) == before
    assert await rows(books, games) == []
    assert (await node.store.load(running.lobby.lobby_id)).lobby is not None


async def test_a_finished_lobby_stays_for_its_time(
    node: Node, books: Books, archive_of: Archives, redis: Redis
) -> None:
    (lobby_id,) = await play(node, ("ann", "bob"))
    await move_all(archive_of(finished_seconds=600, invoice_hot_seconds=600))
    assert len(await rows(books, games)) == 1
    assert 0 < await redis.pttl(keys.lobby(lobby_id)) <= 600_000
    assert 0 < await redis.pttl(keys.proof(lobby_id)) <= 600_000
    assert await rows(books, invoices) == []


async def test_a_pass_that_died_before_it_let_go_is_made_good_by_the_next(
    node: Node, books: Books, archive_of: Archives, redis: Redis
) -> None:
    await play(node, ("ann", "bob"))
    before = await store_content(redis)
    await move_all(archive_of())
    there = [await rows(books, table) for table in ALL]
    await redis.flushall()
    for key, (value, _) in before.items():  # as it was when the books had committed
        await restore(redis, key, value)
    await move_all(archive_of())
    assert there == [
        await rows(books, table) for table in (games, records, seats, ledger, invoices)
    ]
    assert {*await store_content(redis)} <= {keys.ledger(TABLE), keys.checkpoint(TABLE)}


async def restore(redis: Redis, key: str, value: Any) -> None:
    if isinstance(value, dict):
        await redis.hset(key, mapping=value)
    elif isinstance(value, str):
        await redis.set(key, value)
    elif key.startswith("ledger:") or key.endswith(":events"):
        for entry_id, fields in value:
            await redis.xadd(key, fields, entry_id)
    elif key.endswith(":numbers_called"):
        await redis.rpush(key, *value)
    else:
        await redis.zadd(key, dict(value))


async def test_two_archives_do_not_do_the_same_work(
    node: Node, books: Books, archive_of: Archives, redis: Redis
) -> None:
    await play(node, ("ann", "bob"), ("cid", "dan"), ("eve", "fay"))
    stream = await command(redis, "XRANGE", keys.ledger(TABLE), "-", "+")
    await asyncio.gather(*(archive_of().move(TABLE) for _ in range(4)))
    await move_all(archive_of())
    assert len(await rows(books, ledger)) == len(stream)
    assert len(await rows(books, games)) == 3


async def test_an_unmatched_payment_moves_once_however_often_it_comes(
    node: Node, books: Books, archive_of: Archives, redis: Redis
) -> None:
    said = paid(await node.sit("ann"), invoice="inv_3500_nobody", txHash="tx")
    for _ in range(2):
        await node.deliver(said)
        await archive_of().move_unmatched()
        assert not await redis.exists(keys.UNMATCHED)
    assert [(row.tx, row.body) for row in await rows(books, unmatched)] == [
        ("tx", raw_body(said).decode())
    ]
