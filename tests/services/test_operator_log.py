"""What operators did is in a log that shows what was altered, and reaches every node."""

import asyncio
from collections.abc import Awaitable, Callable

import orjson
import pytest
from redis.asyncio import Redis

from protocol import operators
from protocol.errors import ErrorCode, Refused
from protocol.to_client import Announcement
from server.rules.operator_chain import Action, breaks, chained
from server.services.announcements import announcement_field, standing_announcements
from server.services.operator_history import OperatorHistory
from server.services.operators import Operators
from server.store import keys
from server.store.operator_log import outbox_write, written
from server.store.restrictions import Restrictions
from tests.services.ordering import BANNED, OTHER, ban, join
from tests.support.game import TABLE, Node
from tests.support.store_content import command


async def test_what_was_interrupted_on_its_way_to_a_table_is_finished_by_any_node(
    nodes: tuple[Node, Node], redis: Redis
) -> None:
    one, two = nodes
    await one.sit("ann")
    await one.sit("ann", OTHER)
    await ban(one, "bob")
    await command(redis, "DEL", keys.restrictions(TABLE))
    await two.operator_watch.begin()
    assert await join(one, "bob") == BANNED


async def test_void_and_kick_are_in_the_log_even_if_their_process_died_at_once(
    nodes: tuple[Node, Node], redis: Redis
) -> None:
    one, two = nodes
    seated = (await one.seat("ann", "bob"))[0]
    lobby_id = seated.lobby.lobby_id
    kick = operators.KickPlayer(alien_id="bob", lobby_id=lobby_id, reason="he asked to")
    assert await one.operators.carry_out("eve", kick) is True
    void = operators.VoidLobby(lobby_id=lobby_id, reason="a fault")
    assert await one.operators.carry_out("eve", void) is True
    assert await one.operators.carry_out("eve", void) == Refused(
        ErrorCode.WRONG_STATUS, {"status": "finished"}
    )
    # As it would be if the log could not be written any more.
    late = Action(operator="eve", action="void", target="lobby", reason="late", at=1)
    *write, text = outbox_write(TABLE, "0123", late)
    of_later_version = orjson.dumps({**orjson.loads(text), "unknown": 1}).decode()
    await command(redis, *write, of_later_version)
    await asyncio.gather(one.operator_watch.catch_up(), two.operator_watch.catch_up())
    entries = await one.stores.operator_log.entries()
    assert [(e.action, e.target, e.operator, e.reason) for e in entries] == [
        ("kick", "bob", "eve", "he asked to"),
        ("void", lobby_id, "eve", "a fault"),
        ("void", "lobby", "eve", "late"),
    ]
    assert breaks(entries, await one.stores.operator_log.head()) == []
    assert await command(redis, "EXISTS", keys.operator_outbox(TABLE)) == 0


async def test_what_is_unreadable_in_an_outbox_is_logged_as_it_is_and_holds_up_nothing(
    nodes: tuple[Node, Node], redis: Redis
) -> None:
    late = Action(operator="eve", action="void", target="lobby", reason="late", at=1)
    *write, text = outbox_write(TABLE, "0123", late)
    of_other_types = orjson.dumps({**orjson.loads(text), "reason": 5}).decode()
    unreadable = ["{", "[5]", "{}", of_other_types]
    for number, damaged in enumerate(unreadable):
        await command(redis, *write[:2], f"damaged-{number}", damaged)
    await command(redis, *write, text)
    await asyncio.gather(*(node.operator_watch.begin() for node in nodes))
    entries = await nodes[0].stores.operator_log.entries()
    assert sorted((e.action, e.target) for e in entries) == [
        *[("unreadable", TABLE)] * len(unreadable),
        ("void", "lobby"),
    ]
    shown = [e.details["unreadable"] for e in entries if e.details is not None]
    assert sorted(shown) == sorted(unreadable)
    assert breaks(entries, await nodes[0].stores.operator_log.head()) == []
    assert await command(redis, "EXISTS", keys.operator_outbox(TABLE)) == 0


async def test_an_unknown_lobby_is_neither_voided_nor_is_anybody_kicked(
    nodes: tuple[Node, Node],
) -> None:
    for lobby_id in ("lobby_3500_000000000000", "lobby", ""):
        for request in (
            operators.VoidLobby(lobby_id=lobby_id, reason="why"),
            operators.KickPlayer(alien_id="ann", lobby_id=lobby_id, reason="why"),
        ):
            refused = await nodes[0].operators.carry_out("eve", request)
            assert refused == Refused(ErrorCode.UNKNOWN_LOBBY)
    assert await nodes[0].stores.operator_log.entries() == []


async def test_an_announcement_reaches_every_node_once_also_one_that_was_cut_off(
    nodes: tuple[Node, Node],
) -> None:
    one, two = nodes
    received: list[str] = []
    await two.operator_watch.begin()
    two.operator_watch.on_announcement = lambda said: received.append(said.text)
    for text in ("once", "and again"):
        said = operators.Announce(text=text)
        assert await one.operators.carry_out("eve", said) is True
    await two.operator_watch.catch_up()
    await two.operator_watch.catch_up()
    assert received == ["once", "and again"]
    assert two.operator_watch.standing() == []


async def test_an_announcement_stands_until_its_end(nodes: tuple[Node, Node]) -> None:
    one, two = nodes
    until = int(one.clock.now_ms()) + 8_000
    said = operators.Announce(text="Maintenance at noon.", level="warning", until=until)
    await one.operators.carry_out("eve", said)
    await two.operator_watch.begin()
    assert [a.text for a in two.operator_watch.standing()] == ["Maintenance at noon."]
    await two.wait_until_past(until)
    assert two.operator_watch.standing() == []
    # The same text again takes its place.
    later = said.model_copy(update={"until": until + 60_000})
    await one.operators.carry_out("eve", later)
    await two.operator_watch.catch_up()
    assert [a.until for a in two.operator_watch.standing()] == [until + 60_000]


class Interrupted(Restrictions):
    """After the master was read for the first time, somebody does something."""

    def __init__(self, node: Node, work: Callable[[], Awaitable[object]]) -> None:
        super().__init__(node.connection, node.commits, node.clock)
        self._work: Callable[[], Awaitable[object]] | None = work

    async def master(self) -> dict[str, str]:
        found = await super().master()
        work, self._work = self._work, None
        if work is not None:
            await work()
        return found


async def test_what_is_announced_again_meanwhile_does_not_go_with_what_has_ended(
    nodes: tuple[Node, Node], redis: Redis
) -> None:
    one, two = nodes
    ended = Announcement(text="Hello.", level="info", until=1)
    field = announcement_field("Hello.")
    await command(redis, "HSET", keys.MASTER_RESTRICTIONS, field, ended.model_dump_json())
    again = operators.Announce(text="Hello.", until=9_999_999_999_000)
    stores = one.stores
    interrupted = Operators(
        one.lobbies,
        stores.operator_log,
        Interrupted(one, lambda: two.operators.carry_out("ann", again)),
        stores.tables,
        one.clock,
        (),
    )
    assert await interrupted.carry_out("eve", operators.Announce(text="Once.")) is True
    standing = standing_announcements(await stores.restrictions.master())
    assert [said.until for said in standing] == [9_999_999_999_000]


@pytest.mark.parametrize("field", ["reason", "operator", "at", "target", "action", "details"])
async def test_an_altered_entry_of_the_log_is_found(
    nodes: tuple[Node, Node], redis: Redis, field: str
) -> None:
    for number in range(3):
        await ban(nodes[0], f"player-{number}")
    log = nodes[0].stores.operator_log
    entries = await command(redis, "XRANGE", keys.OPERATOR_LOG, "-", "+")
    entries[1][1][field] = "1"
    await command(redis, "DEL", keys.OPERATOR_LOG)
    for entry_id, fields in entries:
        flat = [part for pair in fields.items() for part in pair]
        await command(redis, "XADD", keys.OPERATOR_LOG, entry_id, *flat)
    assert breaks(await log.entries(), await log.head()) == ["entry 2: it was altered"]


@pytest.mark.parametrize("gone", ["1-0", "2-0", "3-0"])
async def test_an_entry_that_is_gone_is_missed(
    nodes: tuple[Node, Node], redis: Redis, gone: str
) -> None:
    for number in range(3):
        await ban(nodes[0], f"player-{number}")
    await command(redis, "XDEL", keys.OPERATOR_LOG, gone)
    log = nodes[0].stores.operator_log
    assert breaks(await log.entries(), await log.head())


async def test_an_entry_that_was_added_is_found_even_if_it_continues_the_chain(
    nodes: tuple[Node, Node], redis: Redis
) -> None:
    await ban(nodes[0], "bob")
    log = nodes[0].stores.operator_log
    head = await log.head()
    action = Action(operator="eve", action="ban", target="ann", reason="never said", at=1)
    added = chained(action, head.number + 1, head.hash)
    flat = [part for pair in written(added).items() for part in pair]
    await command(redis, "XADD", keys.OPERATOR_LOG, f"{added.id}-0", *flat)
    shown = await OperatorHistory(log).read()
    assert [entry.target for entry in shown.entries] == ["bob", "ann"]
    assert not shown.intact
