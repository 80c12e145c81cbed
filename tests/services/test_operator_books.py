"""What operators did is in the books as well, and each of both shows what was altered in the
other."""

import asyncio
from functools import partial

import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from protocol import operators
from protocol.errors import ErrorCode, Refused
from server.books.engine import Books
from server.rules.operator_chain import EMPTY_HASH, Action, chained
from server.services.archiving import OutOfStep
from server.services.operator_archive import ActionsInBooks, OperatorArchive
from server.services.operator_history import OperatorHistory
from server.services.past_in_books import PastInBooks
from server.store import keys
from server.store.operator_log import written
from tests.support.game import Node, StartNode
from tests.support.store_content import command

GAME = (
    "INSERT INTO games VALUES ('lobby_3500_0123456789ab', '3500', 3500, 'classic', 'won', 'ann',"
    " 'row_0', 7000, 2, 9, now(), now(), now(), 'h', 'h', null)"
)


@pytest.fixture
async def node(start_node: StartNode, store_url: str, books_url: str) -> Node:
    """A node on which operators did three things."""
    node = await start_node(store_url, DATABASE_URL=books_url)
    for alien_id in ("ann", "bob"):
        request = operators.BanPlayer(
            alien_id=alien_id, reason="“why” – 理由", until=9_999_999_999_123
        )
        assert await node.operators.carry_out("eve", request) is True
    unban = operators.UnbanPlayer(alien_id="ann", reason="a mistake")
    assert await node.operators.carry_out("eve", unban) is True
    return node


async def test_what_operators_did_is_copied_once_whoever_copies(node: Node, books: Books) -> None:
    archives = [OperatorArchive(node.stores.operator_log, books) for _ in range(3)]
    await asyncio.gather(*(archive.move() for archive in archives))
    assert await archives[0].move() == 0
    kept = await ActionsInBooks(books).entries()
    assert kept == await node.stores.operator_log.entries()
    assert [entry.id for entry in kept] == [1, 2, 3]
    assert kept[0].previous_hash == EMPTY_HASH
    shown = await OperatorHistory(node.stores.operator_log, ActionsInBooks(books)).read()
    assert (shown.intact, shown.problems) == (True, [])
    approval = Action(
        operator="carl",
        action="payouts/approve",
        target="po_1",
        reason="checked",
        at=int(node.clock.now_ms()),
        details={"amount": "1"},
    )
    await node.stores.operator_log.write_down(approval)
    assert await archives[1].move() == 1
    shown = await OperatorHistory(node.stores.operator_log, ActionsInBooks(books)).read()
    assert shown.intact


async def test_an_entry_that_was_altered_in_the_books_is_found(node: Node, books: Books) -> None:
    await OperatorArchive(node.stores.operator_log, books).move()
    async with books.begin() as connection:
        await connection.execute(text("UPDATE operator_actions SET reason = 'x' WHERE id = 2"))
    shown = await OperatorHistory(node.stores.operator_log, ActionsInBooks(books)).read()
    assert (shown.intact, shown.problems) == (False, ["entry 2: the books have another"])


async def test_a_log_that_was_altered_in_the_store_is_not_copied(
    node: Node, books: Books, redis: Redis
) -> None:
    await command(redis, "XDEL", keys.OPERATOR_LOG, "2-0")
    with pytest.raises(OutOfStep, match="entry 2"):
        await OperatorArchive(node.stores.operator_log, books).move()
    assert await ActionsInBooks(books).entries() == []


async def test_what_was_added_to_the_log_is_not_copied(
    node: Node, books: Books, redis: Redis
) -> None:
    head = await node.stores.operator_log.head()
    action = Action(operator="eve", action="ban", target="zoe", reason="never said", at=1)
    flat = [part for pair in written(chained(action, 4, head.hash)).items() for part in pair]
    await command(redis, "XADD", keys.OPERATOR_LOG, "4-0", *flat)
    assert await OperatorArchive(node.stores.operator_log, books).move() == 3
    kept = await ActionsInBooks(books).entries()
    assert [entry.target for entry in kept] == ["ann", "bob", "ann"]


async def test_a_log_that_was_written_anew_is_found_by_the_books(
    node: Node, books: Books, redis: Redis
) -> None:
    await OperatorArchive(node.stores.operator_log, books).move()
    await command(redis, "DEL", keys.OPERATOR_LOG, keys.MASTER_RESTRICTIONS)
    request = operators.BanPlayer(alien_id="zoe", reason="another history")
    await node.operators.carry_out("mallory", request)
    alone = await OperatorHistory(node.stores.operator_log).read()
    assert alone.intact
    shown = await OperatorHistory(node.stores.operator_log, ActionsInBooks(books)).read()
    assert not shown.intact


async def test_a_game_that_is_in_the_books_only_is_over_for_who_voids_it(
    start_node: StartNode, store_url: str, books: Books
) -> None:
    async with books.begin() as connection:
        await connection.execute(text(GAME))
    node = await start_node(store_url, past_of=partial(PastInBooks, books))
    refused = {"lobby_3500_0123456789ab": ErrorCode.WRONG_STATUS}
    refused["lobby_3500_000000000000"] = ErrorCode.UNKNOWN_LOBBY
    for lobby_id, code in refused.items():
        for request in (
            operators.VoidLobby(lobby_id=lobby_id, reason="why"),
            operators.KickPlayer(alien_id="ann", lobby_id=lobby_id, reason="why"),
        ):
            answer = await node.operators.carry_out("eve", request)
            assert isinstance(answer, Refused)
            assert answer.code is code
    assert await node.stores.operator_log.entries() == []
