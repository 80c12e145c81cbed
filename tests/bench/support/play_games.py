"""A process that plays games as a server does below its transport, whenever it is asked to.

For each line with a number that it reads it plays so many games on the store at REDIS_URL, and
writes a line. Ten take seats and pay, each arranges a ticket, and numbers are called; nothing
happens by time or by chance. tests.bench.pythons counts the instructions of that.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Final

import uvloop

from server.rules.events import Event
from server.rules.lobby import Lobby
from server.rules.phases import tick
from server.rules.turn import Turn
from server.services.lobbies import Changed
from server.store.timings import StoreTimings
from tests.support.game import BUY_IN, CLASSIC, Node, starting_nodes

CALLS: Final = 20
_NEVER_MS: Final = 100_000_000
_NO_TIMEOUTS: Final = StoreTimings(
    command_seconds=600, confirm_seconds=600, ping_seconds=300, silence_seconds=600
)
_numbers = count()


async def play(node: Node) -> None:
    """Play one game, without claims and its end."""
    names = [f"player-{next(_numbers)}" for _ in range(CLASSIC.max_players)]
    seats = await node.seat(*names)
    lobby_id = seats[0].lobby.lobby_id
    for place, name in enumerate(names):
        first = 4 * place + 1
        grid = [[first + 3 * row + column for column in range(3)] for row in range(3)]
        assert isinstance(await node.play.arrange_grid(name, lobby_id, grid), Changed)
    for _ in range(CALLS):
        assert isinstance(await node.lobbies.change(lobby_id, _call_next), Changed)


def _call_next(lobby: Lobby, _now_ms: float) -> Sequence[Event]:
    turn = Turn(lobby)
    assert lobby.next_call_at is not None, lobby
    tick(turn, lobby.next_call_at)
    return turn.events


async def main(url: str) -> None:
    """Play on the store at `url` until standard input ends."""
    untimed = replace(CLASSIC, seat_ms=_NEVER_MS, formation_ms=_NEVER_MS, arranging_ms=_NEVER_MS)
    async with starting_nodes(tiers={BUY_IN: untimed}, timings=_NO_TIMEOUTS) as start:
        node = await start(url)
        for line in sys.stdin:
            for _ in range(int(line)):
                await play(node)
            sys.stdout.write("played\n")
            sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(main(os.environ["REDIS_URL"]))
