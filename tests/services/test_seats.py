"""Which seat a player gets, and who gets none."""

import asyncio
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from protocol.errors import ErrorCode, Refused
from server.rules.commands import Tick
from server.services.seats import Seated
from server.store import keys
from tests.support.game import BRISK, BUY_IN, CLASSIC, TABLE, Node, StartNode
from tests.support.wait import until

TRIO = replace(CLASSIC, max_players=3)
NOWHERE = "lobby_3500_000000000000"


async def take(node: Node, alien_id: str, lobby_id: str, tier: int = BUY_IN) -> Seated | Refused:
    return await node.seats.take(alien_id, tier, lobby_id)


async def test_the_fullest_lobby_is_joined_and_of_equals_the_oldest(
    start_node: StartNode, store_url: str
) -> None:
    node = await start_node(store_url, tiers={BUY_IN: TRIO})
    lobbies = {name: (await node.sit(name)).lobby for name in "abcdefg"}
    seats = {name: lobby.lobby_id for name, lobby in lobbies.items()}
    old, fuller, young = (lobbies[name] for name in "adg")
    for name in "bcd":
        await node.seats.leave(name, seats[name])
    assert len({*seats.values()}) == 3
    # A node still learns the store's time when it has just begun: it may be corrected in between.
    first, second = sorted((old, young), key=lambda lobby: lobby.created_at)
    joined = [(await node.sit(name)).lobby.lobby_id for name in "hijklm"]
    then = [first.lobby_id] * 2 + [second.lobby_id] * 2
    assert joined == [fuller.lobby_id, *then, joined[5]]
    assert joined[5] not in seats.values()


async def test_who_sits_already_gets_the_seat_and_the_invoice_again_on_any_node(
    start_node: StartNode, store_url: str
) -> None:
    nodes = [await start_node(store_url) for _ in range(2)]
    first = await nodes[0].sit("ann")
    await nodes[0].sit("bob")
    again = await nodes[1].sit("ann")
    assert again.invoice == first.invoice
    assert [*again.lobby.players] == ["ann", "bob"]
    await nodes[0].pay(first)
    assert (await nodes[1].sit("ann")).invoice == first.invoice.model_copy(
        update={"status": "paid"}
    )


@pytest.mark.parametrize(
    "client_seed", ["\0", "e\u0301", "\u2028\u2029", "\U0001f340" * 64, '\ufeff\ufffe\x7f\\"']
)
async def test_any_text_is_a_client_seed_and_stays_as_it_is(
    start_node: StartNode, store_url: str, client_seed: str
) -> None:
    nodes = [await start_node(store_url) for _ in range(2)]
    seated = await nodes[0].seats.join("ann", BUY_IN, client_seed)
    assert isinstance(seated, Seated)
    await nodes[0].pay(seated)
    stored = (await nodes[1].store.load(seated.lobby.lobby_id)).lobby
    assert stored is not None
    assert stored.players["ann"].client_seed == client_seed


async def test_only_new_seats_count_as_joins(start_node: StartNode, store_url: str) -> None:
    asked: list[str] = []

    def joins(name: str) -> bool:
        asked.append(name)
        return len(asked) <= 3

    node = await start_node(store_url, joins=joins)
    limited = Refused(ErrorCode.RATE_LIMITED)
    lobby_id = (await node.sit("ann")).lobby.lobby_id
    await asyncio.gather(*(node.sit("ann") for _ in range(5)), take(node, "ann", lobby_id))
    assert asked == ["ann"]

    for _ in range(2):
        await node.seats.leave("ann", lobby_id)
        await node.sit("ann")
    await node.seats.leave("ann", lobby_id)
    assert await node.seats.join("ann", BUY_IN, "") == limited
    assert await take(node, "ann", lobby_id) == limited
    assert len(asked) == 5
    lobby = (await node.store.load(lobby_id)).lobby
    assert lobby is not None
    assert not lobby.players


async def test_who_may_not_join_keeps_nobody_else_from_it(
    start_node: StartNode, store_url: str
) -> None:
    node = await start_node(store_url, joins=lambda name: not name.startswith("eager"))
    names = ["eager 1", "ann", "eager 2", "bob", "eager 3"]
    answers = await asyncio.gather(*(node.seats.join(name, BUY_IN, "") for name in names))
    refused = [isinstance(answer, Refused) for answer in answers]
    assert refused == [True, False, True, False, True]


async def test_who_plays_already_may_join_another_game(
    start_node: StartNode, store_url: str
) -> None:
    node = await start_node(store_url, tiers={BUY_IN: replace(CLASSIC, max_players=2)})
    (first, _) = await node.seat("ann", "bob")
    assert (await node.sit("ann")).lobby.lobby_id != first.lobby.lobby_id


async def test_each_tier_has_lobbies_of_its_own(start_node: StartNode, store_url: str) -> None:
    node = await start_node(store_url, tiers={BUY_IN: CLASSIC, 7000: TRIO})
    low, high = await node.sit("ann"), await node.sit("ann", 7000)
    assert (low.lobby.buy_in_amount, high.lobby.buy_in_amount) == (BUY_IN, 7000)
    assert (low.invoice.amount, high.invoice.amount) == ("3500", "7000")
    assert high.lobby.variant == TRIO


async def test_a_tier_that_is_not_offered_is_refused(node: Node) -> None:
    unknown = Refused(ErrorCode.UNKNOWN_TIER)
    assert await node.seats.join("ann", 1, "") == unknown
    assert await take(node, "ann", "lobby_1_000000000000", 1) == unknown


async def test_a_seat_may_be_taken_in_a_given_lobby_and_is_there_again(node: Node) -> None:
    lobby_id = (await node.sit("ann")).lobby.lobby_id
    first = await take(node, "bob", lobby_id)
    assert isinstance(first, Seated)
    assert [*first.lobby.players] == ["ann", "bob"]
    assert await take(node, "bob", lobby_id) == first
    assert await node.sit("bob") == first


@pytest.mark.parametrize("lobby_id", [NOWHERE, "lobby_7000_000000000000", "", "lobby"])
async def test_no_seat_is_taken_in_a_lobby_that_is_not_of_the_tier(
    lobby_id: str, node: Node
) -> None:
    assert await take(node, "ann", lobby_id) == Refused(ErrorCode.UNKNOWN_LOBBY)


async def test_no_seat_is_taken_in_a_full_lobby_nor_in_one_that_has_begun(
    start_node: StartNode, store_url: str
) -> None:
    node = await start_node(store_url, tiers={BUY_IN: replace(CLASSIC, max_players=2)})
    seats = [await node.sit("ann"), await node.sit("bob")]
    lobby_id = seats[0].lobby.lobby_id
    assert await take(node, "cy", lobby_id) == Refused(ErrorCode.LOBBY_FULL)
    for seated in seats:
        await node.pay(seated)
    assert await take(node, "cy", lobby_id) == Refused(ErrorCode.LOBBY_CLOSED)
    assert await take(node, "ann", lobby_id) == Refused(ErrorCode.LOBBY_CLOSED)


async def test_when_a_lobby_closes_nobody_counts_as_seated_in_the_tier(
    start_node: StartNode, store_url: str, redis: Redis
) -> None:
    node = await start_node(store_url, tiers={BUY_IN: replace(BRISK, lobby_ttl_ms=1)})
    lobby_id = (await node.sit("ann")).lobby.lobby_id
    await until(lambda: closes(node, lobby_id))
    assert await node.directory.seat(TABLE, "ann") is None
    assert await node.directory.forming(TABLE) == []
    assert await redis.exists(keys.seats(TABLE, "ann")) == 0


async def closes(node: Node, lobby_id: str) -> bool:
    await node.lobbies.carry_out(lobby_id, Tick())
    lobby = (await node.store.load(lobby_id)).lobby
    return lobby is not None and lobby.status == "finished"
