"""What a node remembers of a lobby serves for a change, and is never the reason of a refusal."""

import pytest

from protocol.errors import ErrorCode, Refused
from server.rules.commands import Leave, SelectNumbers
from server.services.lobbies import Changed
from tests.support.game import Node, StartNode

NUMBERS = tuple(range(1, 10))


@pytest.fixture
async def mute(start_node: StartNode, store_url: str) -> Node:
    """A node whose commits no other receives: it publishes on other channels."""
    return await start_node(store_url, sharded=False)


async def test_what_would_be_refused_from_memory_is_decided_on_what_the_store_has(
    node: Node, mute: Node
) -> None:
    seated = await node.sit("ann")
    lobby_id = seated.lobby.lobby_id
    assert await node.replicas.acquire(lobby_id)
    await mute.pay(seated)
    known = node.replicas.snapshot(lobby_id)
    assert known is not None
    assert known.lobby is not None
    assert not known.lobby.players["ann"].paid
    changed = await node.lobbies.carry_out(lobby_id, SelectNumbers("ann", NUMBERS))
    assert isinstance(changed, Changed)
    assert changed.lobby.players["ann"].numbers == NUMBERS


async def test_what_would_be_done_from_memory_is_refused_when_the_store_has_moved_on(
    node: Node, mute: Node
) -> None:
    lobby_id = (await node.sit("ann")).lobby.lobby_id
    assert await node.replicas.acquire(lobby_id)
    assert isinstance(await mute.lobbies.carry_out(lobby_id, Leave("ann")), Changed)
    refused = await node.lobbies.carry_out(lobby_id, Leave("ann"))
    assert refused == Refused(ErrorCode.NOT_SEATED)


async def test_what_is_so_already_changes_nothing(node: Node) -> None:
    (seated,) = await node.seat("ann")
    lobby_id = seated.lobby.lobby_id
    first = await node.lobbies.carry_out(lobby_id, SelectNumbers("ann", NUMBERS))
    again = await node.lobbies.carry_out(lobby_id, SelectNumbers("ann", NUMBERS))
    assert isinstance(first, Changed)
    assert again == Changed(first.snapshot)


async def test_a_lobby_that_does_not_exist_refuses(node: Node) -> None:
    refused = await node.lobbies.carry_out("lobby_3500_000000000000", Leave("ann"))
    assert refused == Refused(ErrorCode.UNKNOWN_LOBBY)
