"""The audit of books and store together: whatever was altered is named, and nothing else."""

from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from server.books.engine import Books
from server.rules.commands import Claim
from server.services.archiving import Archive
from server.services.audit import Audit
from server.services.past import WholeLedger
from server.services.past_in_books import PastInBooks
from server.store import keys
from server.store.past_ledger import START, Checkpoint, PastLedger
from tests.services.archives import Archives, move_all, play, play_on
from tests.support.game import BRISK, BUY_IN, TABLE, Node, StartNode, calling, is_over
from tests.support.store_content import command
from tests.support.wait import until
from tests.system.game_server import has_pattern


@pytest.fixture
async def node(start_node: StartNode, store_url: str, books_url: str) -> Node:
    """A node with books, on an empty store."""
    duel = replace(BRISK, max_players=2, call_interval_ms=20)
    return await start_node(store_url, tiers={BUY_IN: duel}, DATABASE_URL=books_url)


@pytest.fixture
async def audit(node: Node, books: Books) -> Audit:
    past = PastInBooks(books, node.stores.past_ledger)
    whole = WholeLedger(node.stores.ledger, node.stores.past_ledger, past)
    return Audit(whole, node.store, node.directory)


async def problems_of(audit: Audit) -> list[str]:
    return list((await audit.run([TABLE])).problems)


async def win(node: Node, winner: str, loser: str) -> str:
    """A game that is won."""
    lobby_id = (await node.seat(winner, loser))[0].lobby.lobby_id

    async def has_won() -> bool:
        lobby = (await node.store.load(lobby_id)).lobby
        assert lobby is not None
        grid = lobby.players[winner].grid
        return grid is not None and has_pattern([*map(list, grid)], {*lobby.called})

    await until(has_won)
    await node.lobbies.carry_out(lobby_id, Claim(winner))
    await until(lambda: is_over(node, lobby_id))
    return lobby_id


TAMPERING = {
    "a column of an entry": (
        "UPDATE ledger SET amount = 1 WHERE kind = 'payout_owed'",
        ["its columns in the books were altered"],
    ),
    "an entry and its columns": (
        "UPDATE ledger SET alien_id = 'eve', fields ="
        " replace(fields::text, '\"ann\"', '\"eve\"')::json WHERE kind = 'payout_owed'",
        ["it is not what the chain", "its winner in the books is another"],
    ),
    "the name of an entry": (
        "UPDATE ledger SET entry_id = '3500:1-1' WHERE kind = 'received' AND alien_id = 'ann'",
        ["its columns in the books were altered"],
    ),
    "an entry that is none any more": (
        "UPDATE ledger SET fields = '[5]' WHERE kind = 'received' AND alien_id = 'ann'",
        ["it is not what the chain", "coins do not balance"],
    ),
    "an entry that is of another shape": (
        """UPDATE ledger SET fields = '{"kind": 5, "amount": ["\\ud800"]}'"""
        " WHERE kind = 'received' AND alien_id = 'ann'",
        ["it is not what the chain", "coins do not balance"],
    ),
    "a dropped entry": (
        "DELETE FROM ledger WHERE kind = 'received' AND alien_id = 'ann'",
        ["it is not what the chain", "entries less than were moved", "coins do not balance"],
    ),
    "the last entry": (
        "DELETE FROM ledger WHERE kind = 'payout_owed'",
        ["entries less than were moved", "the store has let go of what came before"],
    ),
    "a doubled entry": (
        "INSERT INTO ledger SELECT '3500:' || stream_ms || '-9', table_name, stream_ms, 9, kind,"
        " amount, lobby_id, invoice_id, alien_id, at, event, test, reference, fields, hash"
        " FROM ledger WHERE kind = 'payout_owed'",
        ["it is not what the chain", "entries more than were moved", "coins do not balance"],
    ),
    "a game": (
        "UPDATE games SET winner = 'bob' WHERE outcome = 'won'",
        ["its winner in the books"],
    ),
    "its pot": (
        "UPDATE games SET pot = 1 WHERE outcome = 'won'",
        ["payout_owed is 1 and house 0 by its game in the books, 7000 and 0 in the ledger"],
    ),
    "a seat": ("UPDATE seats SET paid_out = 1 WHERE won", ["its seats in the books"]),
    "a dropped seat": ("DELETE FROM seats WHERE alien_id = 'bob'", ["its seats in the books"]),
    "a dropped record": (
        "DELETE FROM records USING games WHERE outcome = 'won' AND"
        " games.lobby_id = records.lobby_id",
        ["its record is not in the books"],
    ),
    "a lost cursor": ("DELETE FROM cursors", ["the books have lost its cursor"]),
}


@pytest.mark.parametrize(("statement", "expected"), TAMPERING.values(), ids=TAMPERING)
@pytest.mark.parametrize("finished_seconds", [0, 600], ids=["gone", "still in the store"])
async def test_what_is_altered_in_the_books_is_named(
    node: Node,
    books: Books,
    archive_of: Archives,
    audit: Audit,
    statement: str,
    expected: list[str],
    finished_seconds: float,
) -> None:
    async with calling(node):
        await play_on(node, ("cid", "dan"))
        won = await win(node, "ann", "bob")
    await move_all(archive_of(finished_seconds=finished_seconds))
    assert await problems_of(audit) == []
    async with books.begin() as connection:
        await connection.execute(text(statement))
    problems = await problems_of(audit)
    for words in expected:
        assert any(words in problem for problem in problems), problems
    named = f"{TABLE}:", f"table {TABLE}:", f"{won}:", f"po_{TABLE}_"
    assert all(problem.startswith(named) for problem in problems), problems
    assert len(problems) <= len(expected) + 1, problems


class MovingLedger(PastLedger):
    """The ledgers of a node's store, of which all that can moves whenever it is asked for the
    checkpoint."""

    def __init__(self, node: Node, archive: Archive) -> None:
        super().__init__(node.connection, node.commits)
        self._archive = archive

    async def checkpoint(self, table: str) -> Checkpoint:
        await move_all(self._archive)
        return await super().checkpoint(table)


async def test_what_moves_and_leaves_the_store_during_an_audit_is_no_problem(
    node: Node, books: Books, archive_of: Archives
) -> None:
    await play(node, ("ann", "bob"))
    ledger = MovingLedger(node, archive_of())
    moved = await PastInBooks(books, ledger).moved_ledger(TABLE)
    assert (await ledger.checkpoint(TABLE)).last_id != START
    assert moved.problems == []


async def test_a_game_that_is_nowhere_is_named(
    node: Node, books: Books, archive_of: Archives, audit: Audit, redis: Redis
) -> None:
    async with calling(node):
        await play_on(node, ("cid", "dan"))  # its entry shows since when games move
        moved, lost = await play_on(node, ("ann", "bob"), ("eve", "fay"))
    await redis.delete(keys.lobby(lost), keys.events(lost), keys.numbers_called(lost))
    await redis.zrem(keys.ended(TABLE), lost)
    await move_all(archive_of())
    line = "it is neither in the store nor in the books"
    assert await problems_of(audit) == [f"{lost}: {line}"]
    async with books.begin() as connection:
        for table in ("records", "seats", "games"):
            await connection.execute(
                text(f"DELETE FROM {table} WHERE lobby_id = :lobby_id"),  # noqa: S608
                {"lobby_id": moved},
            )
    assert sorted(await problems_of(audit)) == sorted(f"{lobby}: {line}" for lobby in (moved, lost))


async def test_an_entry_that_the_store_has_twice_is_named(
    node: Node, archive_of: Archives, audit: Audit, redis: Redis
) -> None:
    (lobby_id,) = await play(node, ("ann", "bob"))
    entries = await command(redis, "XRANGE", keys.ledger(TABLE), "-", "+")
    doubled = next(fields for _, fields in entries if fields["kind"] == "received")
    await move_all(archive_of())
    await redis.xadd(keys.ledger(TABLE), doubled)
    assert await problems_of(audit) == [
        f"table {TABLE}: {BUY_IN} coins do not balance",
        f"{lobby_id}: {BUY_IN} coins do not balance",
    ]
    await move_all(archive_of())
    assert len(await problems_of(audit)) == 2


async def test_a_debt_that_is_settled_twice_is_named(
    node: Node, archive_of: Archives, audit: Audit, redis: Redis
) -> None:
    async with calling(node):
        lobby_id = await win(node, "ann", "bob")
    entries = await command(redis, "XRANGE", keys.ledger(TABLE), "-", "+")
    (owed,) = [entry_id for entry_id, fields in entries if fields["kind"] == "payout_owed"]
    settled: dict[Any, Any] = {"kind": "settled", "amount": "7000", "lobby_id": lobby_id}
    settled |= {"event": owed, "at": "1", "reference": "tx"}
    ids = [str(await redis.xadd(keys.ledger(TABLE), settled)) for _ in range(2)]
    await move_all(archive_of())
    (problem,) = await problems_of(audit)
    assert problem == f"{TABLE}:{ids[1]}: it settles {TABLE}:{owed} again"
