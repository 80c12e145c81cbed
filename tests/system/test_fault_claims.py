"""Ten players claim at the same moment, all of them rightly, on three nodes."""

import asyncio
import os
import random
from dataclasses import replace

from protocol.errors import ErrorCode, Refused
from protocol.payments import WebhookAnswer
from server.dev.store import EmbeddedStore
from server.rules.commands import Tick
from server.rules.events import GameFinished, PlayerKicked
from server.rules.tickets import Complete, judge
from server.services.lobbies import Changed
from server.services.play import Won
from server.store.log import LogPosition
from tests.support.game import BUY_IN, CLASSIC, Node, paid, starting_nodes

ROUNDS = int(os.environ.get("CLAIM_ROUNDS", "20"))
PLAYERS = [f"player-{number}" for number in range(10)]
GRID = ((1, 2, 3), (4, 5, 6), (7, 8, 9))

# All hold the same nine numbers, and there are no others: a line is complete after seven calls
# at most.
VARIANT = replace(CLASSIC, highest=9, call_interval_ms=1)


async def test_exactly_one_of_ten_right_claims_wins(own_store: EmbeddedStore) -> None:
    async with starting_nodes() as start:
        nodes = [await start(own_store.url, tiers={BUY_IN: VARIANT}) for _ in range(3)]
        for _ in range(ROUNDS):
            await one_round(nodes)


async def one_round(nodes: list[Node]) -> None:
    lobby_id = await begin(nodes)
    await call_until_complete(nodes[0], lobby_id)
    claims = [
        random.choice(nodes).play.claim(player, lobby_id)
        for player in random.sample(PLAYERS, len(PLAYERS))
    ]
    outcomes = await asyncio.gather(*claims)
    assert sum(isinstance(outcome, Won) for outcome in outcomes) == 1
    refusals = [outcome.code for outcome in outcomes if isinstance(outcome, Refused)]
    assert refusals == [ErrorCode.WRONG_STATUS] * 9
    events = [r.event for r in await nodes[0].store.records_from(lobby_id, LogPosition(), 1_000)]
    assert [type(event) for event in events].count(GameFinished) == 1
    assert not any(isinstance(event, PlayerKicked) for event in events)
    for node in nodes:
        node.replicas.release(lobby_id)


async def begin(nodes: list[Node]) -> str:
    """A game of ten that every node follows."""
    seats = [await nodes[0].sit(player) for player in PLAYERS]
    lobby_id = seats[0].lobby.lobby_id
    for node in nodes:
        assert await node.replicas.acquire(lobby_id)
    for node, seated in zip(nodes * 4, seats, strict=False):
        assert await node.deliver(paid(seated)) == WebhookAnswer(processed=True)
    for player in PLAYERS:
        arranged = await random.choice(nodes).play.arrange_grid(player, lobby_id, GRID)
        assert isinstance(arranged, Changed)
    return lobby_id


async def call_until_complete(node: Node, lobby_id: str) -> None:
    """Call numbers until the ticket that all hold has a line."""
    while True:
        snapshot = await node.store.load(lobby_id)
        assert snapshot.lobby is not None
        if isinstance(judge(GRID, snapshot.lobby.called, VARIANT.patterns), Complete):
            return
        await node.lobbies.carry_out(lobby_id, Tick())
