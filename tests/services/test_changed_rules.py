"""What was begun by other rules goes on by those; who comes now plays what is offered now."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from pydantic import create_model
from redis.asyncio import Redis

from protocol.views import LobbyView, Message
from server.rules.variants import Variant
from server.rules.views import Fields, public_view
from server.services.forming_lobbies import FormingLobbies
from server.store import keys
from tests.support.game import BUY_IN, CLASSIC, TABLE, Node, StartNode
from tests.support.wait import until

GRAND = replace(CLASSIC, name="grand", side=5, highest=75, max_players=20)
MANY_NEEDED = replace(CLASSIC, min_players=5)
TRIO = replace(CLASSIC, max_players=3)

_FIELDS_BEFORE: Any = {
    name: (field.annotation, field)
    for name, field in LobbyView.model_fields.items()
    if name != "rules"
}
LobbyViewBefore = create_model("LobbyViewBefore", __base__=Message, **_FIELDS_BEFORE)
"""The view as the version before reads it: it knows no `rules`, and refuses what it does not
know."""


@pytest.mark.parametrize("now", [GRAND, MANY_NEEDED, TRIO])
async def test_newcomers_are_seated_with_those_who_play_what_is_offered_now(
    now: Variant, start_node: StartNode, store_url: str
) -> None:
    old = await start_node(store_url, tiers={BUY_IN: CLASSIC})
    seated = [await old.sit(name) for name in ("ann", "bob")]
    new = await start_node(store_url, tiers={BUY_IN: now})
    first, second = [await new.sit(name) for name in ("cy", "dee")]
    assert first.lobby.lobby_id == second.lobby.lobby_id != seated[0].lobby.lobby_id
    assert first.lobby.variant == now
    # Who has a seat keeps it; and the other server seats its own where they belong.
    assert (await new.sit("ann")).invoice == seated[0].invoice
    assert (await old.sit("eve")).lobby.lobby_id == seated[0].lobby.lobby_id
    assert (await new.sit("fay")).lobby.lobby_id == first.lobby.lobby_id


async def test_other_times_are_no_other_game(start_node: StartNode, store_url: str) -> None:
    old = await start_node(store_url, tiers={BUY_IN: CLASSIC})
    new = await start_node(store_url, tiers={BUY_IN: replace(CLASSIC, call_interval_ms=2_500)})
    first, second = await old.sit("ann"), await new.sit("bob")
    assert first.lobby.lobby_id == second.lobby.lobby_id
    assert second.lobby.variant.call_interval_ms == CLASSIC.call_interval_ms


async def test_any_number_of_lobbies_of_other_rules_keeps_nobody_from_a_seat(
    start_node: StartNode, store_url: str, redis: Redis
) -> None:
    old = await start_node(store_url, tiers={BUY_IN: replace(CLASSIC, max_players=2)})
    names = [f"player-{number}" for number in range(12)]
    before = {name: (await old.sit(name)).lobby.lobby_id for name in names}
    for name in names[::2]:
        await old.seats.leave(name, before[name])
    assert await redis.zcard(keys.openings(TABLE)) == 6
    new = await start_node(store_url, tiers={BUY_IN: TRIO})
    joined = [(await new.sit(name)).lobby.lobby_id for name in "abcdefg"]
    assert [len(set(joined)), joined[0], joined[3]] == [3, joined[2], joined[5]]
    assert set(joined).isdisjoint(before.values())
    # Those end; then nothing keeps the count of what is open wrong.
    for name in names[1::2]:
        await old.seats.leave(name, before[name])
        await redis.zrem(keys.openings(TABLE), before[name])
    assert [(await new.sit(name)).lobby.lobby_id for name in "hi"] == 2 * [joined[6]]
    assert (await new.sit("j")).lobby.lobby_id not in joined


@asynccontextmanager
async def forming_lobbies(node: Node) -> AsyncIterator[tuple[FormingLobbies, list[Fields]]]:
    """The cache of forming lobbies, open, and the changes that it notified of."""
    changes: list[Fields] = []
    forming_lobbies = FormingLobbies(
        node.store,
        node.directory,
        node.subscription,
        lambda: [TABLE],
        changes.append,
        changes.clear,
    )
    await forming_lobbies.open()
    try:
        yield forming_lobbies, changes
    finally:
        forming_lobbies.close()


async def test_the_front_desk_lists_the_rules_of_each_lobby(
    start_node: StartNode, store_url: str
) -> None:
    old = await start_node(store_url, tiers={BUY_IN: CLASSIC})
    new = await start_node(store_url, tiers={BUY_IN: GRAND})
    early = (await old.sit("ann")).lobby.lobby_id
    async with forming_lobbies(new) as (shown, changes):
        late = (await new.sit("bob")).lobby.lobby_id
        await old.sit("cy")
        await until(
            lambda: len(changes) >= 3 and sum(v["player_count"] for v in shown.forming()) == 3
        )
        rules = {view["lobby_id"]: view["rules"] for view in shown.forming()}
    assert (rules[early]["variant"], rules[early]["max_players"]) == (
        "classic",
        CLASSIC.max_players,
    )
    assert (rules[late]["variant"], rules[late]["side"]) == ("grand", 5)
    assert all(view["rules"] == rules[view["lobby_id"]] for view in changes)
    assert all(LobbyView(**view).model_dump() == view for view in changes)


async def test_what_is_published_of_a_lobby_is_read_by_the_version_before(
    start_node: StartNode, store_url: str
) -> None:
    node = await start_node(store_url)
    messages: list[str] = []
    await node.subscription.subscribe(keys.front_desk(TABLE), messages.append)
    seated = await node.sit("ann")
    await until(lambda: len(messages) == 1)
    read = LobbyViewBefore.model_validate_json(messages[0])
    view = public_view(seated.lobby, seated.seq)
    assert read.model_dump() == view.model_dump(exclude={"rules"})


async def test_a_lobby_that_stops_forming_while_it_is_looked_up_is_not_listed(
    start_node: StartNode, store_url: str
) -> None:
    node = await start_node(store_url, tiers={BUY_IN: replace(CLASSIC, max_players=2)})
    async with forming_lobbies(node) as (shown, changes):
        seats = await node.seat("ann", "bob")
        await until(lambda: bool(changes) and changes[-1]["status"] == "arranging")
        await shown.settle()
        assert shown.forming() == []
        assert changes[-1]["lobby_id"] == seats[0].lobby.lobby_id
