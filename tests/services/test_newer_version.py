"""A node beside one of a newer version, or one of an older: what it does not know, or what is not
there, harms nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from server.rules.commands import Tick
from server.rules.views import Fields, public_fields, public_view
from server.services.forming_lobbies import FormingLobbies
from server.services.lobbies import Changed
from server.store import keys
from server.store.errors import StoreUnavailable
from server.store.replay import is_kept, replay
from tests.services.money import PROCESSED, SEAT_PAID, sums
from tests.services.newer import append, listen
from tests.support.game import BRISK, BUY_IN, CLASSIC, TABLE, Node, StartNode, paid
from tests.support.store_content import command
from tests.support.wait import until

OTHER = 7000
FORMS_LONG = replace(BRISK, formation_ms=600_000, lobby_ttl_ms=900_000, seat_ms=600_000)


@pytest.fixture
async def node(start_node: StartNode, store_url: str) -> Node:
    """A node of this version with two tiers."""
    return await start_node(store_url, tiers={BUY_IN: CLASSIC, OTHER: CLASSIC})


@pytest.fixture
async def lobby_ids(node: Node) -> tuple[str, str]:
    """A lobby in which the newer node will do something new, and another one."""
    new = (await node.sit("ann")).lobby.lobby_id
    return new, (await node.sit("ann", OTHER)).lobby.lobby_id


async def other_goes_on(node: Node, lobby_id: str) -> None:
    """Somebody joins the other lobby."""
    assert (await node.sit("bob", OTHER)).lobby.lobby_id == lobby_id
    replica = node.replicas.snapshot(lobby_id)
    assert replica is not None
    assert replica.position.version == 3


async def test_an_event_of_an_unknown_type_leads_to_the_lobby_that_is_stored(
    node: Node, redis: Redis, lobby_ids: tuple[str, str]
) -> None:
    new, other = lobby_ids
    listener = await listen(node, *lobby_ids)
    version = await append(redis, new, "deadline_moved", {"by": 1}, deadline="1700000000000")
    await until(lambda: new in listener.resets)
    assert listener.resets[new].position.version == version
    assert listener.resets[new] == await node.store.load(new)
    await other_goes_on(node, other)
    assert (await node.sit("carol")).lobby.lobby_id == new
    assert listener.versions[new] == [version + 1]


async def test_an_outcome_that_is_not_known_stops_no_other_lobby(
    node: Node, redis: Redis, lobby_ids: tuple[str, str]
) -> None:
    new, other = lobby_ids
    await listen(node, *lobby_ids)
    end = {"outcome": "shared", "winner": None, "pattern": None, "finished_at": 1}
    await append(redis, new, "game_finished", end, status="finished", outcome="shared")
    with pytest.raises(StoreUnavailable, match="outcome"):
        await node.lobbies.carry_out(new, Tick())
    await other_goes_on(node, other)


async def test_the_clock_of_other_lobbies_goes_on(
    start_node: StartNode, store_url: str, redis: Redis
) -> None:
    node = await start_node(store_url, tiers={BUY_IN: BRISK, OTHER: BRISK})
    new = (await node.sit("ann")).lobby.lobby_id
    await command(redis, "HSET", keys.lobby(new), "status", "paused")
    other = await node.sit("ann", OTHER)
    node.scheduler.start()
    try:

        async def ticks() -> bool:
            return (await node.store.load(other.lobby.lobby_id)).position.version > 2

        await until(ticks)
    finally:
        await node.scheduler.stop()


async def test_what_is_new_in_known_things_is_left_alone(
    node: Node, redis: Redis, lobby_ids: tuple[str, str]
) -> None:
    new, _ = lobby_ids
    listener = await listen(node, *lobby_ids)
    key = keys.lobby(new)
    variant = json.loads(await command(redis, "HGET", key, "variant")) | {"tempo": 2}
    extended = {"deadline": 1_900_000_000_000, "why": "quiet"}
    changes = {"deadline": "1900000000000", "colour": "blue", "variant": json.dumps(variant)}
    version = await append(redis, new, "forming_extended", extended, **changes)
    await command(redis, "HSET", keys.player(new, "ann"), "mood", "good")
    await until(lambda: listener.versions.get(new) == [version])
    assert listener.resets == {}
    assert node.replicas.snapshot(new) == await node.store.load(new)
    await node.sit("bob")
    assert listener.versions[new] == [version, version + 1]
    kept, log = await node.store.texts_with_log(new)
    assert (kept[0]["colour"], json.loads(kept[0]["variant"])["tempo"]) == ("blue", 2)
    *_, end = replay(log, kept[0]["hash"])
    assert is_kept(end, kept)


async def test_a_message_of_an_unknown_kind_is_passed_over(
    node: Node, redis: Redis, lobby_ids: tuple[str, str]
) -> None:
    new, _ = lobby_ids
    listener = await listen(node, new)
    for message in ("poll of ann", "", "9 x\n[]", "9 x\nnot JSON", '9 x\n[["1-0", []]]'):
        await command(redis, "SPUBLISH", keys.events(new), message)
    await node.sit("bob")
    await until(lambda: listener.versions.get(new) == [3])


# What is not there


@pytest.mark.parametrize("field", ["log_hash", "pattern", "winner", "outcome", "entropy"])
async def test_a_field_that_a_lobby_does_not_have_yet_counts_as_empty(
    node: Node, redis: Redis, field: str
) -> None:
    seated = await node.sit("ann")
    lobby_id = seated.lobby.lobby_id
    before = (await node.store.load(lobby_id)).lobby
    assert await command(redis, "HDEL", keys.lobby(lobby_id), field) == 1
    assert (await node.store.load(lobby_id)).lobby == before
    assert isinstance(await node.lobbies.carry_out(lobby_id, Tick()), Changed)
    await node.pay(seated)
    kept, log = await node.store.texts_with_log(lobby_id)
    *_, end = replay(log, kept[0]["hash"])
    assert is_kept(end, kept)


@pytest.mark.parametrize("field", ["test", "kicked", "numbers", "grid", "client_seed"])
async def test_a_field_that_a_player_does_not_have_yet_counts_as_empty(
    node: Node, redis: Redis, field: str
) -> None:
    lobby_id = (await node.sit("ann")).lobby.lobby_id
    assert await command(redis, "HDEL", keys.player(lobby_id, "ann"), field) == 1
    lobby = (await node.store.load(lobby_id)).lobby
    assert lobby is not None
    assert not getattr(lobby.players["ann"], field)


async def test_an_invoice_may_lack_what_came_later(node: Node, redis: Redis) -> None:
    seated = await node.sit("ann")
    key = keys.invoice(seated.invoice.invoice_id)
    await command(redis, "HDEL", key, "tx_hash", "version", "takes_test", "client_seed")
    assert await node.deliver(paid(seated)) == PROCESSED
    assert (await node.deliver(paid(seated))) != PROCESSED
    assert await sums(redis) == SEAT_PAID


# The front desk


@pytest.fixture
async def forming_lobbies(node: Node) -> AsyncIterator[FormingLobbies]:
    """The cache of forming lobbies, open."""
    seen: list[Fields] = []
    forming_lobbies = FormingLobbies(
        node.store, node.directory, node.subscription, lambda: [TABLE], seen.append, lambda: None
    )
    await forming_lobbies.open()
    yield forming_lobbies
    forming_lobbies.close()


async def test_a_listing_is_read_whatever_else_it_has(
    node: Node, redis: Redis, forming_lobbies: FormingLobbies
) -> None:
    lobby_id = (await node.sit("ann")).lobby.lobby_id
    await until(lambda: [view["lobby_id"] for view in forming_lobbies.forming()] == [lobby_id])
    lobby = (await node.store.load(lobby_id)).lobby
    assert lobby is not None
    listing = public_view(lobby, 9).model_dump(mode="json") | {"pot": 1, "mood": "good"}
    listing["players"][0]["mood"] = "good"
    await command(redis, "SPUBLISH", keys.front_desk(TABLE), json.dumps(listing))
    await until(lambda: [view["pot"] for view in forming_lobbies.forming()] == [1])


async def test_a_listing_with_a_field_of_another_type_is_looked_up(
    node: Node, redis: Redis, forming_lobbies: FormingLobbies
) -> None:
    lobby_id = (await node.sit("ann")).lobby.lobby_id
    await until(lambda: forming_lobbies.size == 1)
    lobby = (await node.store.load(lobby_id)).lobby
    assert lobby is not None
    await command(redis, "HSET", keys.lobby(lobby_id), "pot", "7")
    listing = dict(public_fields(lobby, 9)) | {"created_at": "now"}
    del listing["rules"]  # as it is published
    await command(redis, "SPUBLISH", keys.front_desk(TABLE), json.dumps(listing))
    await until(lambda: [view["pot"] for view in forming_lobbies.forming()] == [7])


async def test_a_listing_that_is_not_understood_is_looked_up(
    start_node: StartNode, store_url: str, node: Node, redis: Redis, forming_lobbies: FormingLobbies
) -> None:
    lobby_id = (await node.sit("ann")).lobby.lobby_id
    await until(lambda: forming_lobbies.size == 1)
    forming_lobbies.close()
    await forming_lobbies.open()
    await command(redis, "HSET", keys.lobby(lobby_id), "pot", "7")
    message = json.dumps({"lobby_id": lobby_id, "status": "resting"}, separators=(",", ":"))
    await command(redis, "SPUBLISH", keys.front_desk(TABLE), message)
    await until(lambda: [view["pot"] for view in forming_lobbies.forming()] == [7])


async def test_a_lobby_that_is_not_understood_is_not_listed_and_the_others_are(
    start_node: StartNode, store_url: str, redis: Redis
) -> None:
    tiers = {BUY_IN: FORMS_LONG, OTHER: FORMS_LONG}
    node = await start_node(store_url, tiers=tiers)
    new, other = await asyncio.gather(node.sit("ann"), node.sit("ann", OTHER))
    await command(redis, "HSET", keys.lobby(new.lobby.lobby_id), "status", "resting")
    forming_lobbies = FormingLobbies(
        node.store,
        node.directory,
        node.subscription,
        lambda: [TABLE, str(OTHER)],
        lambda _view: None,
        lambda: None,
    )
    await forming_lobbies.open()
    assert [view["lobby_id"] for view in forming_lobbies.forming()] == [other.lobby.lobby_id]
    forming_lobbies.close()
