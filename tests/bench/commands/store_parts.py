"""The processor time of a command below the transport: to decide it, to write it down, to commit
it."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from protocol.errors import Refused
from server.rules import commands
from server.rules.decide import decide
from server.rules.events import Event
from server.rules.lobby import Lobby
from server.store.channels import Channels
from server.store.log import Snapshot, record_events
from server.store.projection import Projection, Retention
from tests.bench.commands.cpu_cost import Costs, awaited_cpu_us, cpu_us
from tests.support.game import BUY_IN, CLASSIC, TABLE, TERMS, Node, starting_nodes

SEATS: Final = 10
GRID: Final = ((1, 2, 3), (4, 5, 6), (7, 8, 9))
RETENTION: Final = Retention(finished_seconds=600, proof_seconds=604_800, invoice_seconds=604_800)
UNHURRIED: Final = replace(CLASSIC, arranging_ms=3_600_000)
ATTEMPTS: Final = 20
ECHO_SECONDS: Final = 0.1
"""What a commit publishes is received back within this time, or else is missing in the figure."""


async def store_parts(store_url: str, times: int, concurrency: int) -> Costs:
    """Of `arrange_grid` in lobbies of ten, of which so many arrange at a time, as in a busy server;
    what commits nothing is done so many times."""
    async with starting_nodes() as start:
        node = await start(store_url, tiers={BUY_IN: UNHURRIED})
        snapshots = [await _full_lobby(node, f"lobby-{number}") for number in range(concurrency)]
        return {
            **await _loading(node, snapshots, times),
            **_deciding(snapshots[0], times),
            **await _committing(node, snapshots),
            **await _carrying_out(node, snapshots),
        }


async def _full_lobby(node: Node, name: str) -> Snapshot:
    seats = await node.seat(*(f"{name}-{seat}" for seat in range(SEATS)))
    return await node.store.load(seats[0].lobby.lobby_id)


async def _loading(node: Node, snapshots: Sequence[Snapshot], times: int) -> Costs:
    lobby_ids = [snapshot.lobby.lobby_id for snapshot in snapshots if snapshot.lobby is not None]

    async def load_all() -> None:
        await asyncio.gather(*map(node.store.load, lobby_ids))

    each_us = await awaited_cpu_us(load_all, times // len(snapshots) + 1) / len(snapshots)
    return {"load a lobby that is not held": each_us}


def _deciding(snapshot: Snapshot, times: int) -> Costs:
    assert snapshot.lobby is not None
    lobby, at_ms = snapshot.lobby, snapshot.position.at_ms
    events = _grid_arranged(snapshot, seat=0)
    projection = Projection(RETENTION, 0, TERMS, Channels())
    command = commands.ArrangeGrid(next(iter(lobby.players)), GRID)
    return {
        "decide": cpu_us(lambda: decide(lobby, command, at_ms), times),
        "write the record, and what follows from it": cpu_us(
            lambda: list(
                projection.writes(snapshot, record_events(snapshot, events, at_ms), TABLE)
            ),
            times,
        ),
    }


async def _committing(node: Node, snapshots: Sequence[Snapshot]) -> Costs:
    """Half of the players of each lobby arrange, those of the same seat together."""
    total_us = 0.0
    for seat in range(SEATS // 2):
        decided = [_grid_arranged(snapshot, seat) for snapshot in snapshots]
        begun_ns = time.process_time_ns()
        done = await asyncio.gather(
            *(_committed(node, *before) for before in zip(snapshots, decided, strict=True))
        )
        total_us += (time.process_time_ns() - begun_ns) / 1000
        snapshots = done
    return {"that, and commit it": total_us / len(snapshots) / (SEATS // 2)}


async def _committed(node: Node, before: Snapshot, events: Sequence[Event]) -> Snapshot:
    for _ in range(ATTEMPTS):  # on a busy machine it may be too old when it comes to the store
        done = await node.store.commit(before, events, node.clock.now_ms())
        if done is not None:
            return done[0]
    raise RuntimeError(f"version {before.position.version + 1} of a lobby was refused")


async def _carrying_out(node: Node, snapshots: Sequence[Snapshot]) -> Costs:
    """The others arrange too, but for the last, who would start the game. The node follows the
    lobbies, as it does for members."""
    lobbies = [snapshot.lobby for snapshot in snapshots if snapshot.lobby is not None]
    for lobby in lobbies:
        await node.replicas.acquire(lobby.lobby_id)
    seats = range(SEATS // 2, SEATS - 1)
    turns = iter(seats)

    async def arrange_all() -> None:
        seat = next(turns)
        await asyncio.gather(*(_arrange(node, lobby, seat) for lobby in lobbies))
        await asyncio.sleep(ECHO_SECONDS)

    each_us = await awaited_cpu_us(arrange_all, len(seats)) / len(lobbies)
    return {"decide, commit, and receive it from the store": each_us}


async def _arrange(node: Node, lobby: Lobby, seat: int) -> None:
    done = await node.play.arrange_grid(list(lobby.players)[seat], lobby.lobby_id, GRID)
    assert not isinstance(done, Refused), done


def _grid_arranged(snapshot: Snapshot, seat: int) -> Sequence[Event]:
    assert snapshot.lobby is not None
    alien_id = list(snapshot.lobby.players)[seat]
    events = decide(snapshot.lobby, commands.ArrangeGrid(alien_id, GRID), snapshot.position.at_ms)
    assert not isinstance(events, Refused), events
    return events
