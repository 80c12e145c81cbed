"""Joining on several nodes at once: lobbies fill up one after the other, each player sits once."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from protocol.payments import WebhookAnswer
from server.rules.variants import Variant
from server.services.seats import Seated
from server.store.log import LogPosition
from tests.support.game import BUY_IN, CLASSIC, TABLE, Node, StartNode, paid
from tests.support.proxy import Proxy

PLAYERS = 300
JOINS = 1_000
TRIO = replace(CLASSIC, max_players=3)


async def test_a_thousand_joins_over_two_nodes_fill_each_lobby_before_the_next_opens(
    start_node: StartNode, store_url: str
) -> None:
    nodes = [await start_node(store_url) for _ in range(2)]
    names = [f"player-{number % PLAYERS}" for number in range(JOINS)]
    seats = await asyncio.gather(
        *(nodes[number // 7 % 2].sit(name) for number, name in enumerate(names))
    )
    by_player = dict(zip(names, seats, strict=True))
    for name, seated in zip(names, seats, strict=True):
        assert seated.lobby.lobby_id == by_player[name].lobby.lobby_id
        assert seated.invoice == by_player[name].invoice
    forming = await nodes[0].directory.forming(TABLE)
    lobbies = [(await nodes[0].store.load(lobby_id)).lobby for lobby_id in forming]
    seated_in = Counter(player for lobby in lobbies if lobby for player in lobby.players)
    assert seated_in == Counter(dict.fromkeys(by_player, 1))
    assert [len(lobby.players) for lobby in lobbies if lobby] == [10] * (PLAYERS // 10)
    assert await nodes[0].directory.fullest(TABLE, set()) is None


async def test_those_who_wait_together_are_seated_in_one_step_for_each_lobby(node: Node) -> None:
    seats = await asyncio.gather(*(node.sit(f"player-{number}") for number in range(25)))
    filled = Counter(seated.lobby.lobby_id for seated in seats)
    assert sorted(filled.values()) == [5, 10, 10]
    for lobby_id in filled:
        log = await node.store.records_from(lobby_id, LogPosition(), 100)
        assert len({record.position.at_ms for record in log}) == 1


def round_trips(node: Node) -> float:
    (metric,) = node.metrics.store_round_trip.collect()
    return next(sample.value for sample in metric.samples if sample.name.endswith("_count"))


async def test_lobbies_that_open_together_cost_no_more_round_trips_than_one(node: Node) -> None:
    async def cost_of_seating(players: Sequence[str]) -> float:
        before = round_trips(node)
        await asyncio.gather(*map(node.sit, players))
        return round_trips(node) - before

    names = [f"player-{number}" for number in range(80)]
    await cost_of_seating(names[:10])  # has the scripts loaded
    one = await cost_of_seating(names[10:20])
    six = await cost_of_seating(names[20:80])

    # One after the other they would be ten more. A commit that a slow machine makes too late is
    # made again, for two.
    assert six < one + 8


async def test_a_seat_is_paid_without_a_look_at_the_lobby_that_this_node_knows_from_selling_it(
    node: Node,
) -> None:
    await node.deliver(paid(await node.sit("ann")))  # has the scripts loaded
    costs = []
    for name in ("bob", "cy", "dan"):
        seated = await node.sit(name)
        before = round_trips(node)
        assert await node.deliver(paid(seated)) == WebhookAnswer(processed=True)
        costs.append(round_trips(node) - before)
    assert min(costs) == 2  # for the invoice, and for the commit


async def test_who_has_given_up_waiting_is_not_seated(node: Node) -> None:
    joining = {name: asyncio.create_task(node.sit(name)) for name in ("ann", "bob", "cy")}
    await asyncio.sleep(0)
    joining["bob"].cancel()
    assert [*(await joining["cy"]).lobby.players] == ["ann", "cy"]


async def test_joining_while_others_pay_and_leave_ends_with_everybody_seated_once(
    start_node: StartNode, store_url: str
) -> None:
    nodes = [await start_node(store_url, tiers={BUY_IN: TRIO}) for _ in range(2)]

    async def come_and_go(number: int) -> None:
        node, name = nodes[number % 2], f"player-{number}"
        seated = await node.sit(name)
        if number % 3 == 0:
            await node.seats.leave(name, seated.lobby.lobby_id)
        elif number % 3 == 1:
            await node.deliver(paid(seated))

    await asyncio.gather(*(come_and_go(number) for number in range(60)))
    forming = await nodes[0].directory.forming(TABLE)
    lobbies = [(await nodes[0].store.load(lobby_id)).lobby for lobby_id in forming]
    seated_in = Counter(player for lobby in lobbies if lobby for player in lobby.players)
    assert set(seated_in.values()) <= {1}
    assert all(len(lobby.players) <= TRIO.max_players for lobby in lobbies if lobby)


async def overtaken(
    start_node: StartNode, url: str, variant: Variant, overtake: Callable[[], Awaitable[object]]
) -> Seated:
    """Ann's seat, who joins on a node whose answers are slow: between what it reads and what it
    writes, others `overtake` it."""
    async with Proxy(url) as proxy:
        slow = await start_node(proxy.url, tiers={BUY_IN: variant}, listen_url=url)
        proxy.hold()
        joining = asyncio.create_task(slow.sit("ann"))
        await asyncio.sleep(0.2)
        await overtake()
        proxy.release()
        return await joining


async def test_who_is_overtaken_in_opening_a_lobby_joins_the_one_that_was_opened(
    start_node: StartNode, store_url: str
) -> None:
    node = await start_node(store_url)
    seated = await overtaken(start_node, store_url, CLASSIC, lambda: node.sit("bob"))
    assert [*seated.lobby.players] == ["bob", "ann"]
    assert await node.directory.forming(TABLE) == [seated.lobby.lobby_id]


async def test_who_is_overtaken_by_themselves_in_opening_a_lobby_opens_no_other(
    start_node: StartNode, store_url: str
) -> None:
    variant = replace(CLASSIC, min_players=1, max_players=1)
    node = await start_node(store_url, tiers={BUY_IN: variant})
    seated = await overtaken(start_node, store_url, variant, lambda: node.sit("ann"))
    assert await node.directory.forming(TABLE) == [seated.lobby.lobby_id]


async def test_who_is_overtaken_by_themselves_in_another_lobby_gets_that_seat(
    start_node: StartNode, store_url: str
) -> None:
    node = await start_node(store_url, tiers={BUY_IN: TRIO})
    seats = [await node.sit(name) for name in "abcdef"]
    fuller, other = seats[0].lobby.lobby_id, seats[3].lobby.lobby_id
    await node.seats.leave("c", fuller)
    for name in "ef":
        await node.seats.leave(name, other)
    seated = await overtaken(
        start_node, store_url, TRIO, lambda: node.seats.take("ann", BUY_IN, other)
    )
    assert seated.lobby.lobby_id == other
    left = (await node.store.load(fuller)).lobby
    assert left is not None
    assert [*left.players] == ["a", "b"]
