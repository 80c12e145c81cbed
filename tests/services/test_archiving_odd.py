"""What the archive does with what nobody should have written: the rest moves all the same."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from secrets import token_hex
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from server.books.engine import Books
from server.books.schema import games, ledger, payouts, unmatched
from server.dev.store import EmbeddedStore
from server.services.archive_loop import ArchiveLoop
from server.services.audit import Audit
from server.services.operator_archive import OperatorArchive
from server.services.past import WholeLedger
from server.services.past_in_books import PastInBooks
from server.store import keys
from tests.services.archives import Archives, archive_over, move_all, play, rows
from tests.support.game import BRISK, BUY_IN, TABLE, Node, StartNode, paid
from tests.support.store_content import command
from tests.support.wait import until

LONG = token_hex(5_000)
"""No index of PostgreSQL takes it, and no compression makes it short."""
OWED = {"kind": "refund_owed", "amount": "5", "event": "tx", "alien_id": "ann", "lobby_id": "l"}
ENTRIES: dict[str, dict[Any, Any]] = {
    "no number": {"kind": "received", "amount": "much"},
    "a number beyond all numbers": {"kind": "received", "amount": "1e200000"},
    "a very exact number": {"kind": "received", "amount": "1e-200000"},
    "a number of nothing": {"kind": "received", "amount": "NaN"},
    "a time without end": {"kind": "house", "amount": "1", "at": "inf"},
    "a time beyond the calendar": {"kind": "house", "amount": "1", "at": "1e300"},
    "a time before it": {"kind": "house", "amount": "1", "at": "-1e14"},
    "a NUL": {"kind": "received", "amount": "1", "event": "a\x00b", "alien_id": "\x00"},
    "a NUL where something is owed": OWED | {"event": "a\x00b", "b\x00": "\x00"},
    "no UTF-8": {"kind": "house", "amount": "1", "event": b"\xff\xfe"},
    "long names": OWED | {"alien_id": LONG, "lobby_id": LONG},
    "long names of letters of four bytes": OWED | {"alien_id": "\N{GAME DIE}" * 600},
    "a settlement of a long name": {"kind": "settled", "amount": "1", "event": LONG},
    "other words": {"colour": "blue"},
    "settled twice": {"kind": "settled", "amount": "1", "event": "1-0"},
}


@pytest.fixture
async def node(start_node: StartNode, store_url: str, books_url: str) -> Node:
    """A node with books, on an empty store."""
    duel = replace(BRISK, max_players=2)
    return await start_node(store_url, tiers={BUY_IN: duel}, DATABASE_URL=books_url)


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
async def test_an_entry_that_is_none_moves_as_it_stands(
    node: Node,
    books: Books,
    archive_of: Archives,
    redis: Redis,
    entry: dict[Any, Any],
) -> None:
    for number in (1, 2):
        await redis.xadd(keys.ledger(TABLE), entry, f"{number}-0")
    await play(node, ("ann", "bob"))
    length = await redis.xlen(keys.ledger(TABLE))
    await move_all(archive_of())
    written = await rows(books, ledger)
    assert len(written) == length
    assert await redis.xlen(keys.ledger(TABLE)) == 1
    assert len(await rows(books, games)) == 1


@pytest.mark.parametrize("tx", ["a\x00b", LONG], ids=["NUL", "long"])
async def test_an_unmatched_payment_with_any_transaction_moves(
    node: Node, books: Books, archive_of: Archives, redis: Redis, tx: str
) -> None:
    said = paid(await node.sit("ann"), invoice="inv_3500_nobody", txHash=tx)
    for _ in range(2):
        await node.deliver(said)
        await archive_of().move_unmatched()
    (row,) = await rows(books, unmatched)
    assert orjson.loads(row.body)["txHash"] == tx
    assert not await redis.exists(keys.UNMATCHED)


@pytest.mark.parametrize("tx", ["a\x00b", LONG], ids=["NUL", "long"])
async def test_a_payment_that_is_owed_back_moves_with_any_transaction_and_is_queued(
    node: Node, books: Books, archive_of: Archives, tx: str
) -> None:
    seated = await node.sit("ann")
    await node.pay(seated)
    await node.deliver(paid(seated, txHash=tx))
    await move_all(archive_of())
    (payout,) = await rows(books, payouts)
    assert (payout.kind, payout.alien_id, payout.amount) == ("refund", "ann", BUY_IN)
    past = PastInBooks(books, node.stores.past_ledger)
    whole = WholeLedger(node.stores.ledger, node.stores.past_ledger, past)
    report = await Audit(whole, node.store, node.directory).run([TABLE])
    assert not report.problems


@pytest.mark.parametrize(
    "name",
    ["nonsense", "3500:", "3500:x-0", "3500:0-0", "3500:1-0-0", f"3500:{10**18}-0", "3500:1"],
)
async def test_what_is_no_name_of_an_entry_names_none(node: Node, books: Books, name: str) -> None:
    past = PastInBooks(books, node.stores.past_ledger)
    whole = WholeLedger(node.stores.ledger, node.stores.past_ledger, past)
    assert await whole.entry(name) is None


async def delete_log(redis: Redis, lobby_id: str) -> None:
    await redis.delete(keys.events(lobby_id))


async def delete_lobby(redis: Redis, lobby_id: str) -> None:
    await redis.delete(keys.lobby(lobby_id))


async def delete_entry(redis: Redis, lobby_id: str) -> None:
    entries = await command(redis, "XRANGE", keys.events(lobby_id), "-", "+")
    await redis.xdel(keys.events(lobby_id), entries[3][0])


async def alter_entry(redis: Redis, lobby_id: str) -> None:
    entries = await command(redis, "XRANGE", keys.events(lobby_id), "-", "+")
    await redis.delete(keys.events(lobby_id))
    for number, (entry_id, fields) in enumerate(entries):
        altered: dict[Any, Any] = {"data": "[{"} if number == 3 else {}
        await redis.xadd(keys.events(lobby_id), {**fields, **altered}, entry_id)


async def alter_numbers(redis: Redis, lobby_id: str) -> None:
    await redis.delete(keys.numbers_called(lobby_id))
    await redis.set(keys.numbers_called(lobby_id), "no list")


async def alter_hash(redis: Redis, lobby_id: str) -> None:
    await redis.hset(keys.lobby(lobby_id), "finished_at", "1")


async def alter_player(redis: Redis, lobby_id: str) -> None:
    await redis.hset(keys.player(lobby_id, "cid"), "grid", "[[")


TAMPERING = (
    delete_log,
    delete_lobby,
    delete_entry,
    alter_entry,
    alter_numbers,
    alter_hash,
    alter_player,
)


@pytest.mark.parametrize("tamper", TAMPERING)
async def test_a_record_that_does_not_hold_is_neither_moved_nor_let_go_and_the_others_move(
    node: Node,
    books: Books,
    archive_of: Archives,
    redis: Redis,
    tamper: Callable[[Redis, str], Awaitable[None]],
) -> None:
    good, bad = await play(node, ("ann", "bob"), ("cid", "dan"))
    await tamper(redis, bad)
    before = await redis.exists(keys.lobby(bad), keys.events(bad), keys.numbers_called(bad))
    archive = archive_of()
    await move_all(archive)
    assert [row.lobby_id for row in await rows(books, games)] == [good]
    after = await redis.exists(keys.lobby(bad), keys.events(bad), keys.numbers_called(bad))
    assert (after, archive.broken) == (before, 1)


async def test_a_game_of_which_the_books_have_another_record_stays(
    node: Node,
    books: Books,
    archive_of: Archives,
    redis: Redis,
) -> None:
    (lobby_id,) = await play(node, ("ann", "bob"))
    await move_all(archive_of(finished_seconds=600))
    async with books.begin() as connection:
        await connection.execute(text("UPDATE records SET hash = 'of another end'"))
    await redis.zadd(keys.ended(TABLE), {lobby_id: 1})
    await redis.persist(keys.lobby(lobby_id))
    archive = archive_of()
    await move_all(archive)
    assert archive.broken == 1
    assert await redis.exists(keys.lobby(lobby_id))


async def test_what_stops_one_table_stops_no_other(
    start_node: StartNode, store_url: str, books_url: str, books: Books, redis: Redis
) -> None:
    node = await start_node(store_url, tiers={BUY_IN: BRISK, 7000: BRISK}, DATABASE_URL=books_url)
    await node.sit("ann", 7000)
    await node.pay(await node.sit("bob"))
    await redis.delete(keys.ledger("7000"))
    await redis.set(keys.ledger("7000"), "no stream")
    loop = ArchiveLoop(
        archive_over(node, books),
        OperatorArchive(node.stores.operator_log, books),
        node.tables.read,
    )
    assert not await loop.run(asyncio.Event(), until_done=True)
    assert [row.kind for row in await rows(books, ledger)] == ["received", "pot"]


async def test_a_primary_that_is_away_keeps_nothing_of_others_in_the_store(
    start_node: StartNode, own_store: EmbeddedStore, books_url: str, books: Books
) -> None:
    node = await start_node(own_store.url, DATABASE_URL=books_url)
    await node.pay(await node.sit("bob"))
    user = ("ACL", "SETUSER", "archive", "on", ">secret", "+@all", "&*", "resetkeys")
    here = (f"~*{{{TABLE}}}*", f"~{keys.TABLES}", "~*operator_log*")
    async with Redis.from_url(own_store.url) as admin:
        await command(admin, *user, "~*")
        moving = await start_node(
            own_store.url.replace("//", "//archive:secret@"), DATABASE_URL=books_url
        )
        await command(admin, *user, *here)  # all but the unmatched payments
    loop = ArchiveLoop(
        archive_over(moving, books),
        OperatorArchive(moving.stores.operator_log, books),
        moving.tables.read,
    )
    stop = asyncio.Event()
    running = asyncio.create_task(loop.run(stop))

    async def have_moved() -> bool:
        return [row.kind for row in await rows(books, ledger)] == ["received", "pot"]

    await until(have_moved)
    assert not running.done()
    stop.set()
    await running


async def test_the_archive_goes_on_without_reading_what_is_owed_and_has_left_the_store(
    node: Node, books: Books, archive_of: Archives, redis: Redis
) -> None:
    await redis.hset(keys.checkpoint(TABLE), "1-0", "a debt of which there may be very many")
    await play(node, ("ann", "bob"))
    await move_all(archive_of())
    assert len(await rows(books, games)) == 1
    assert await redis.xlen(keys.ledger(TABLE)) == 1
