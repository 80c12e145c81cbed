"""A tier of several tables: a player joins at one of them, and holds one seat, however many."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from protocol.ids import lobby_table, table_tier
from server.rules.views import Fields
from server.services.audit import Audit
from server.services.forming_lobbies import FormingLobbies
from server.services.past import WholeLedger
from server.services.seats import Seated
from server.services.tiers import Tier
from server.store.timings import PATIENT
from tests.support.game import BRISK, BUY_IN, CLASSIC, Node, StartNode, starting_nodes
from tests.support.wait import until

PLAYERS = [f"player-{number}" for number in range(60)]
DUEL = replace(BRISK, max_players=2)


@pytest.fixture
async def start_node() -> AsyncIterator[StartNode]:
    """Starts nodes that look for the tables that others opened all the time."""
    async with starting_nodes(timings=replace(PATIENT, find_tables_seconds=0.05)) as start:
        yield start


def tables(count: int) -> list[str]:
    return [f"{BUY_IN}-{place}" for place in range(1, count + 1)]


def table_of(player: str, count: int) -> str:
    return Tier(BUY_IN, CLASSIC, tables(count), takes_test=False).table_of(player)


async def seats_of_everybody(node: Node) -> Counter[str]:
    """How many seats each player holds in forming lobbies of the tier."""
    await node.tables.read()
    held: Counter[str] = Counter()
    for table in node.tables.of_tier(BUY_IN):
        for lobby_id in await node.directory.forming(table):
            lobby = (await node.store.load(lobby_id)).lobby
            assert lobby is not None
            held.update([*lobby.players])
    return held


async def problems_of(node: Node) -> list[str]:
    """What an audit of all tables finds."""
    ledger = WholeLedger(node.stores.ledger, node.stores.past_ledger, None)
    audit = Audit(ledger, node.store, node.directory)
    return list((await audit.run(await node.tables.read())).problems)


def round_trips(node: Node) -> float:
    (metric,) = node.metrics.store_round_trip.collect()
    return next(sample.value for sample in metric.samples if sample.name.endswith("_count"))


async def look(node: Node) -> FormingLobbies:
    """The forming lobbies as the front desk of a node lists them."""

    def of_tier() -> list[str]:
        return node.tables.of_tier(BUY_IN)

    desk = FormingLobbies(
        node.store, node.directory, node.subscription, of_tier, lambda _view: None, lambda: None
    )
    node.tables.on_found.append(desk.tables_found)
    await desk.open()
    return desk


def listed(desk: FormingLobbies) -> set[str]:
    return {view["lobby_id"] for view in desk.forming(BUY_IN)}


async def test_a_player_joins_the_same_table_on_every_server_and_all_tables_are_used(
    start_node: StartNode, store_url: str
) -> None:
    nodes = [await start_node(store_url, TABLES_PER_TIER="3") for _ in range(2)]
    seats = await asyncio.gather(*(nodes[0].sit(player) for player in PLAYERS))
    assert {lobby_table(seated.lobby.lobby_id) for seated in seats} == set(tables(3))
    assert [lobby_table(seated.lobby.lobby_id) for seated in seats] == [
        table_of(player, 3) for player in PLAYERS
    ]
    again = await asyncio.gather(*(nodes[1].sit(player) for player in PLAYERS))
    assert [seated.invoice for seated in again] == [seated.invoice for seated in seats]


def test_the_table_of_a_player_is_for_ever() -> None:
    """Servers of several versions and other machines have to agree on it."""
    places = [table_of(player, 8).removeprefix(f"{BUY_IN}-") for player in ("ann", "bob", "cy")]
    assert places == ["7", "3", "3"]
    counts = Counter(table_of(f"player-{number}", 8) for number in range(8_000))
    assert len(counts) == 8
    assert min(counts.values()) > 800


async def test_one_table_has_the_name_of_its_tier(start_node: StartNode, store_url: str) -> None:
    node = await start_node(store_url, TABLES_PER_TIER="1")
    assert lobby_table((await node.sit("ann")).lobby.lobby_id) == str(BUY_IN)


async def test_who_sits_at_another_table_of_the_tier_gets_that_seat(
    start_node: StartNode, store_url: str
) -> None:
    node = await start_node(store_url, TABLES_PER_TIER="2")
    host = next(player for player in PLAYERS if table_of(player, 2) == "3500-1")
    guest = next(player for player in PLAYERS if table_of(player, 2) == "3500-2")
    lobby_id = (await node.sit(host)).lobby.lobby_id
    taken = await node.seats.take(guest, BUY_IN, lobby_id)
    assert isinstance(taken, Seated)
    joined = await node.sit(guest)
    assert (joined.lobby.lobby_id, joined.invoice) == (lobby_id, taken.invoice)


@pytest.mark.parametrize(("before", "after"), [(1, 4), (4, 1), (2, 5), (5, 2)])
async def test_the_number_of_tables_changes_with_games_running(
    before: int, after: int, start_node: StartNode, store_url: str
) -> None:
    tiers = {BUY_IN: DUEL}
    old = await start_node(store_url, tiers=tiers, TABLES_PER_TIER=str(before))
    seats = [await old.sit(player) for player in PLAYERS[:12]]
    await old.pay(seats[0])
    new = await start_node(store_url, tiers=tiers, TABLES_PER_TIER=str(after))
    new.scheduler.start()
    try:
        desk = await look(new)
        forming = {seated.lobby.lobby_id for seated in seats}
        await until(lambda: listed(desk) == forming)
        # They keep their seats, whichever server they ask.
        for node in (new, old):
            for player, seated in zip(PLAYERS, seats, strict=False):
                assert (await node.sit(player)).lobby.lobby_id == seated.lobby.lobby_id
        # Newcomers may take a seat that is free there, and sit there for everybody.
        alone = [seated for seated in seats if forming_alone(seated, seats)]
        for place, seated in enumerate(alone):
            guest = await new.seats.take(f"guest-{place}", BUY_IN, seated.lobby.lobby_id)
            assert isinstance(guest, Seated)
            assert (await new.sit(f"guest-{place}")).invoice == guest.invoice
            await new.pay(guest)
        for seated in seats[1:]:
            await new.pay(seated)

        async def all_are_over() -> bool:
            lobbies = [(await new.store.load(lobby_id)).lobby for lobby_id in forming]
            return all(lobby is not None and lobby.status == "finished" for lobby in lobbies)

        await until(all_are_over)
        assert await problems_of(new) == []
        desk.close()
    finally:
        await new.scheduler.stop()


def forming_alone(seated: Seated, seats: list[Seated]) -> bool:
    return sum(other.lobby.lobby_id == seated.lobby.lobby_id for other in seats) == 1


async def test_servers_of_other_settings_at_once_give_nobody_two_seats(
    start_node: StartNode, store_url: str
) -> None:
    nodes = [await start_node(store_url, TABLES_PER_TIER=str(count)) for count in (1, 3, 5)]
    seats = await asyncio.gather(*(node.sit(name) for name in PLAYERS for node in nodes))
    assert await seats_of_everybody(nodes[0]) == Counter(PLAYERS)
    for place, name in enumerate(PLAYERS):
        answered = seats[place * len(nodes) : (place + 1) * len(nodes)]
        held = await asyncio.gather(*(node.sit(name) for node in nodes))
        assert len({seated.lobby.lobby_id for seated in held}) == 1
        assert held[0].lobby.lobby_id in {seated.lobby.lobby_id for seated in answered}


async def test_the_front_desk_lists_all_tables_and_those_that_open_later(
    start_node: StartNode, store_url: str
) -> None:
    node = await start_node(store_url, TABLES_PER_TIER="2")
    forming = {(await node.sit(player)).lobby.lobby_id for player in PLAYERS[:8]}
    desk = await look(node)
    assert listed(desk) == forming
    assert {view["buy_in_amount"] for view in desk.forming()} == {BUY_IN}
    more = await start_node(store_url, TABLES_PER_TIER="6")
    others = {(await more.sit(f"other-{number}")).lobby.lobby_id for number in range(20)}
    node.scheduler.start()
    try:
        await until(lambda: listed(desk) == forming | others)
        late = (await more.sit("late")).lobby.lobby_id
        await until(lambda: any(has(view, late, "late") for view in desk.forming()))
    finally:
        await node.scheduler.stop()
        desk.close()


def has(view: Fields, lobby_id: str, player: str) -> bool:
    seated = [seat["alien_id"] for seat in view["players"]]
    return view["lobby_id"] == lobby_id and player in seated


async def test_to_look_at_many_tables_takes_no_more_round_trips_than_at_one(
    start_node: StartNode, store_url: str
) -> None:
    async def cost(count: str) -> float:
        node = await start_node(store_url, TABLES_PER_TIER=count)
        await node.sit("ann")
        await node.tables.read()
        before = round_trips(node)
        desk = await look(node)
        desk.close()
        return round_trips(node) - before

    one = await cost("1")
    assert await cost("16") <= one + 2


async def test_metrics_count_by_tier_and_the_audit_sees_every_table(
    start_node: StartNode, store_url: str
) -> None:
    node = await start_node(store_url, TABLES_PER_TIER="3")
    for player in PLAYERS[:9]:
        seated = await node.sit(player)
        await node.pay(seated)
        await node.seats.leave(player, seated.lobby.lobby_id)
    stats = node.cluster_stats
    stats.start()
    await until(lambda: stats.at_ms > 0)
    await stats.stop()
    assert stats.owed_coins() == {
        (str(BUY_IN), "payout_owed"): 0,
        (str(BUY_IN), "refund_owed"): 9 * BUY_IN,
    }
    assert stats.lobbies() == {(str(BUY_IN), "forming"): 3, (str(BUY_IN), "playing"): 0}
    assert set(stats.oldest_debt_seconds()) == {(str(BUY_IN),)}
    assert await problems_of(node) == []
    ledger = WholeLedger(node.stores.ledger, node.stores.past_ledger, None)
    entries = [entry async for page in ledger.pages("3500-2") for entry in page]
    assert entries
    assert {table_tier(entry.table) for entry in entries} == {BUY_IN}
