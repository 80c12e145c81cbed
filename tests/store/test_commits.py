import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from server.rules.events import Event, FormingExtended
from server.rules.evolve import fold
from server.rules.lobby import Lobby
from server.services.lobbies import Changed
from server.store import keys
from server.store.commits import MAX_DECISION_AGE_MS, NO_DECISION, Check
from server.store.log import LogPosition, Snapshot
from tests.store.agreement import assert_agrees
from tests.support.game import TABLE, Node, StartNode
from tests.support.store_content import store_content
from tests.support.wait import until

WRITERS = 50
CLOCKS_DIFFER_MS = 500  # by less than this
ROUNDS = 5


def extension(number: int) -> list[Event]:
    """A change that says who made it: forming goes on until far beyond any seat."""
    return [FormingExtended(deadline=4_000_000_000_000 + number)]


async def open_lobby(node: Node) -> Snapshot:
    return await node.store.load((await node.sit("ann")).lobby.lobby_id)


async def test_of_fifty_writers_on_one_version_exactly_one_wins_and_the_rest_write_nothing(
    start_node: StartNode, store_url: str, redis: Redis
) -> None:
    nodes = [await start_node(store_url) for _ in range(2)]
    before = await open_lobby(nodes[0])
    assert before.lobby is not None
    lobby_id = before.lobby.lobby_id

    async def write(number: int) -> Snapshot | None:
        node = nodes[number % 2]
        done = await node.store.commit(before, extension(number), node.clock.now_ms())
        return None if done is None else done[0]

    for _ in range(ROUNDS):
        winners: list[Snapshot] = []
        while not winners:  # on a machine that pauses all may be too late
            answers = await asyncio.gather(*map(write, range(WRITERS)))
            winners = [answer for answer in answers if answer is not None]
        (after,) = winners
        assert after.position.version == before.position.version + 1
        assert await nodes[0].store.load(lobby_id) == after
        log = await nodes[0].store.records_from(lobby_id, LogPosition(), 1_000)
        assert fold(record.event for record in log) == after.lobby
        assert after.lobby is not None
        assert_agrees(await store_content(redis), after.lobby)
        before = after


async def test_writers_who_decide_again_all_get_their_turn(
    start_node: StartNode, store_url: str
) -> None:
    nodes = [await start_node(store_url) for _ in range(2)]
    before = await open_lobby(nodes[0])
    assert before.lobby is not None
    lobby_id = before.lobby.lobby_id

    def one_later(lobby: Lobby, _now_ms: float) -> Sequence[Event]:
        return [FormingExtended(deadline=(lobby.deadline or 0) + 1)]

    changes = (nodes[n % 2].lobbies.change(lobby_id, one_later) for n in range(WRITERS))
    answers = await asyncio.gather(*changes)
    assert all(isinstance(answer, Changed) for answer in answers)
    after = await nodes[0].store.load(lobby_id)
    assert after.position.version == before.position.version + WRITERS
    assert after.lobby == replace(before.lobby, deadline=(before.lobby.deadline or 0) + WRITERS)


@pytest.mark.parametrize("failing", ["log", "no lobby", "further check", "age"])
async def test_when_anything_fails_nothing_is_written(
    failing: str, node: Node, redis: Redis
) -> None:
    before = await open_lobby(node)
    content = await store_content(redis)
    now_ms = node.clock.now_ms()
    checks = []
    if failing == "log":
        before = replace(before, position=before.position._replace(hash="f" * 64))
    elif failing == "no lobby":
        assert before.lobby is not None
        before = replace(before, lobby=replace(before.lobby, lobby_id="lobby_3500_000000000000"))
    elif failing == "further check":
        checks = [node.directory.none_open_check(TABLE, set())]
    elif failing == "age":
        now_ms -= MAX_DECISION_AGE_MS + CLOCKS_DIFFER_MS
    assert await node.store.commit(before, extension(1), now_ms, checks=checks) is None
    assert await store_content(redis) == content


@pytest.mark.parametrize("expected", ["0", "2", ""])
async def test_a_check_holds_only_for_the_expected_answer(
    expected: str, node: Node, redis: Redis
) -> None:
    await redis.hset("{t}h", "field", "1")
    check = Check(("HLEN", "{t}h"), expected)
    write = ("SET", "{t}s", "x")
    assert not await node.commits.commit([check], [write], NO_DECISION)
    assert await redis.exists("{t}s") == 0
    right = replace(check, expected="1")
    assert await node.commits.commit([right], [write], NO_DECISION)
    assert await redis.get("{t}s") == "x"


async def test_the_empty_answer_is_what_a_missing_field_is_checked_by(node: Node) -> None:
    check = Check(("HGET", "{t}h", "field"), "")
    assert await node.commits.commit([check], [], NO_DECISION)


async def test_a_stale_decision_is_taken_again(node: Node) -> None:
    before = await open_lobby(node)
    assert before.lobby is not None
    asked = 0

    def stopped_for_a_while_at_first(_lobby: Lobby, _now_ms: float) -> Sequence[Event]:
        nonlocal asked
        asked += 1
        if asked == 1:
            time.sleep((MAX_DECISION_AGE_MS + CLOCKS_DIFFER_MS) / 1000)
        return extension(asked)

    lobby_id = before.lobby.lobby_id
    changed = await node.lobbies.change(lobby_id, stopped_for_a_while_at_first)
    assert isinstance(changed, Changed)
    assert asked > 1
    assert changed.snapshot.position.version == before.position.version + 1
    assert [record.event for record in changed.records] == extension(asked)


async def test_scripts_that_the_store_has_forgotten_are_sent_again(
    node: Node, redis: Redis
) -> None:
    before = await open_lobby(node)
    assert before.lobby is not None
    for script in ("load", "commit", "take"):
        await redis.script_flush()
        if script == "load":
            assert await node.store.load(before.lobby.lobby_id) == before
        elif script == "commit":
            # A first attempt that takes a second is too old.
            await until(lambda: is_committed(node, before))
        else:
            assert await node.timers.take_due(TABLE, 10) == ({}, before.lobby.created_at + 120_000)


async def is_committed(node: Node, before: Snapshot) -> bool:
    done = await node.store.commit(before, extension(1), node.clock.now_ms())
    return done is not None


async def test_what_one_table_writes_is_under_its_own_hash_tag(node: Node, redis: Redis) -> None:
    (seated,) = await node.seat("ann")
    content = await store_content(redis)
    assert keys.invoice(seated.invoice.invoice_id) in content
    assert all(f"{{{TABLE}}}" in key for key in content)
