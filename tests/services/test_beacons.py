"""Games that wait for a beacon, on real nodes, a real store and a beacon over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from protocol import operators
from protocol.errors import ErrorCode, Refused
from server.dev.beacon import DevBeacon
from server.rules.beacon import known_keys
from server.rules.commands import MixBeacon
from server.rules.events import BeaconMixed, Event, NumberCalled
from server.rules.lobby import Lobby
from server.services.game_files import game_file, verify_document
from server.store import keys
from server.store.log import LogPosition
from tests.support.beacon import BeaconFault, ServedBeacon, serving_beacon
from tests.support.game import BRISK, BUY_IN, Node, StartNode, calling
from tests.support.wait import until

# Two players fill it; they have a second to wait for the beacon at least.
DUEL = replace(BRISK, max_players=2, arranging_ms=20)
TIERS = {BUY_IN: DUEL, 7000: DUEL}


@pytest.fixture
async def relay() -> AsyncIterator[ServedBeacon]:
    """A relay of a beacon, a round a second."""
    async with serving_beacon() as relay:
        yield relay


async def seated(node: Node, buy_in: int = BUY_IN, *, of: str = "") -> str:
    """A lobby that two players have just paid for."""
    seats = [await node.sit(f"{name}{of}", buy_in) for name in ("ann", "bob")]
    for seat in seats:
        await node.pay(seat)
    return seats[0].lobby.lobby_id


async def stored(node: Node, lobby_id: str) -> Lobby:
    """The lobby as the store has it."""
    lobby = (await node.store.load(lobby_id)).lobby
    assert lobby is not None
    return lobby


async def finished(node: Node, lobby_id: str) -> Lobby:
    """The lobby when it is over."""

    async def is_over() -> bool:
        return (await stored(node, lobby_id)).status == "finished"

    await until(is_over)
    return await stored(node, lobby_id)


async def waits(node: Node, lobby_id: str) -> Lobby:
    """The lobby when it has started and waits."""

    async def is_waiting() -> bool:
        return (await stored(node, lobby_id)).awaited is not None

    await until(is_waiting)
    return await stored(node, lobby_id)


async def events(node: Node, lobby_id: str) -> list[Event]:
    """What happened in a lobby."""
    records = await node.store.records_from(lobby_id, LogPosition(), 1_000)
    return [record.event for record in records]


def missed(node: Node) -> float:
    """How many games were voided because their beacon did not come."""
    (metric,) = node.metrics.beacon_missed.collect()
    return next(sample.value for sample in metric.samples if sample.name.endswith("_total"))


def kinds(of: Iterable[Event], *wanted: type[Event]) -> list[type[Event]]:
    """The kinds among `wanted` of what happened, in order."""
    return [type(event) for event in of if isinstance(event, wanted)]


async def test_a_game_waits_for_its_beacon_and_is_played_to_its_end(
    start_node: StartNode, store_url: str, redis: Redis, relay: ServedBeacon
) -> None:
    node = await start_node(store_url, tiers=TIERS, **relay.settings)
    async with calling(node):
        lobby_id = await seated(node)
        lobby = await finished(node, lobby_id)
    assert lobby.outcome == "no_winner"
    assert lobby.called == lobby.order
    happened = await events(node, lobby_id)
    assert kinds(happened, BeaconMixed, NumberCalled) == [BeaconMixed, *[NumberCalled] * 50]
    assert await redis.hget(keys.lobby(lobby_id), "entropy") in (None, "")
    file = await game_file(node.store, lobby_id)
    assert file is not None
    chain = relay.beacon.chain
    known = known_keys(chain.chain_hash, chain.public_key)
    assert verify_document(file.model_dump(mode="json"), known) == []
    assert "not known here" in "".join(verify_document(file.model_dump(mode="json")))


async def test_of_two_servers_the_one_without_a_beacon_plays_on(
    start_node: StartNode, store_url: str, relay: ServedBeacon
) -> None:
    knows = await start_node(store_url, tiers=TIERS, **relay.settings)
    knows_none = await start_node(store_url, tiers=TIERS)
    lobby_id = await seated(knows)
    async with calling(knows_none):
        await waits(knows_none, lobby_id)
        async with calling(knows):
            lobby = await finished(knows, lobby_id)
    assert lobby.outcome == "no_winner"
    assert lobby.called == lobby.order


async def test_every_server_may_get_the_round_and_it_is_mixed_in_once(
    start_node: StartNode, store_url: str, relay: ServedBeacon
) -> None:
    nodes = [await start_node(store_url, tiers=TIERS, **relay.settings) for _ in range(3)]
    async with calling(nodes[0]):
        lobby_id = await seated(nodes[0])
        lobby = await waits(nodes[0], lobby_id)
        assert lobby.awaited is not None
        round = lobby.awaited.round
        assert round is not None
        command = MixBeacon(round, relay.beacon.signature(round))
        await asyncio.gather(*(node.lobbies.carry_out(lobby_id, command) for node in nodes))
        await finished(nodes[0], lobby_id)
    assert kinds(await events(nodes[0], lobby_id), BeaconMixed) == [BeaconMixed]


@pytest.mark.parametrize("fault", ["hangs", "forged"])
async def test_a_beacon_at_fault_holds_nobody_else_up_and_the_game_goes_on_with_it(
    start_node: StartNode, store_url: str, relay: ServedBeacon, fault: BeaconFault
) -> None:
    relay.fault = fault
    node = await start_node(store_url, tiers=TIERS, **relay.settings)
    without = await start_node(store_url, tiers=TIERS)
    async with calling(node):
        waiting = await seated(node)
        await waits(node, waiting)
        await until(lambda: sum(relay.asked.values()) > 2)
        other = await seated(without, 7000, of="-of-another")
        assert (await finished(node, other)).outcome == "no_winner"
        assert (await stored(node, waiting)).called == ()
        relay.fault = "none"
        assert (await finished(node, waiting)).outcome == "no_winner"


async def test_too_late_is_voided_by_whatever_server_is_there(
    start_node: StartNode, store_url: str, relay: ServedBeacon
) -> None:
    knew = await start_node(store_url, tiers=TIERS, **relay.settings, BEACON_PATIENCE_SECONDS="1.5")
    lobby_id = await seated(knew)
    withdrawn = await start_node(store_url, tiers=TIERS)
    async with calling(withdrawn):
        lobby = await finished(withdrawn, lobby_id)
    assert (lobby.outcome, lobby.called, lobby.pot) == ("voided", (), 0)
    assert missed(withdrawn) == 1
    assert lobby.started_at is not None
    assert lobby.finished_at is not None
    assert lobby.finished_at - lobby.started_at >= 1_500
    invoices = [await withdrawn.billing.invoice(i) for i in lobby.invoices.values()]
    assert [invoice and invoice.status for invoice in invoices] == ["refund_owed"] * 2


async def test_a_game_that_an_operator_voids_while_it_waits_has_not_missed_its_beacon(
    start_node: StartNode, store_url: str, relay: ServedBeacon
) -> None:
    relay.fault = "hangs"
    node = await start_node(store_url, tiers=TIERS, **relay.settings)
    lobby_id = await seated(node)
    async with calling(node):
        await waits(node, lobby_id)
    void = operators.VoidLobby(lobby_id=lobby_id, reason="the beacon hangs")
    assert await node.operators.carry_out("eve", void) is True
    assert (await stored(node, lobby_id)).outcome == "voided"
    assert missed(node) == 0


async def test_no_lobby_opens_without_the_beacon_that_it_should_have(
    start_node: StartNode, store_url: str
) -> None:
    chain = DevBeacon().chain
    node = await start_node(
        store_url,
        BEACON_URL="http://127.0.0.1:1",
        BEACON_CHAIN_HASH=chain.chain_hash,
        BEACON_PUBLIC_KEY=chain.public_key,
    )
    assert await node.seats.join("ann", BUY_IN, "") == Refused(ErrorCode.UNAVAILABLE)
    assert await node.directory.forming(str(BUY_IN)) == []


async def test_a_round_is_got_once_for_all_games_that_wait_for_it(
    start_node: StartNode, store_url: str, relay: ServedBeacon
) -> None:
    node = await start_node(store_url, tiers=TIERS, **relay.settings)
    async with calling(node):
        lobbies = [await seated(node, of=f"-{game}") for game in range(4)]
        rounds = [(await finished(node, lobby_id)).beacon for lobby_id in lobbies]
    named = {beacon.round for beacon in rounds if beacon is not None}
    asked = {path for path in relay.asked if path.rpartition("/")[2].isdecimal()}
    assert {int(path.rpartition("/")[2]) for path in asked} == named
