"""Two deployments in one store, each in a database of its own: channels know no database."""

import pytest

from server.rules.views import Fields
from server.services.forming_lobbies import FormingLobbies
from server.store import keys
from tests.support.game import TABLE, Node, StartNode
from tests.support.wait import until


@pytest.mark.parametrize(("own", "other"), [("0", "1"), ("1", "0")])
async def test_a_front_desk_lists_the_lobbies_of_its_own_database_only(
    own: str, other: str, start_node: StartNode, store_url: str
) -> None:
    server = store_url.removesuffix("0")
    ours, theirs = await start_node(server + own), await start_node(server + other)
    listed: list[Fields] = []
    desk = FormingLobbies(
        ours.store, ours.directory, ours.subscription, lambda: [TABLE], listed.append, listed.clear
    )
    await desk.open()
    received: list[str] = []
    await theirs.subscription.subscribe(keys.front_desk(TABLE), received.append)
    foreign = await theirs.sit("ann")
    await theirs.seats.leave("ann", foreign.lobby.lobby_id)
    seated = await ours.sit("bob")
    await until(lambda: len(received) >= 3 and bool(listed))
    await desk.settle()
    assert {view["lobby_id"] for view in listed} == {seated.lobby.lobby_id}
    assert [view["lobby_id"] for view in desk.forming()] == [seated.lobby.lobby_id]
    assert await is_unknown(ours, foreign.lobby.lobby_id)
    desk.close()


async def is_unknown(node: Node, lobby_id: str) -> bool:
    """Whether the store of a node has no such lobby."""
    return (await node.store.load(lobby_id)).lobby is None
