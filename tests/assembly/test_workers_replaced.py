"""SIGHUP to `serve --workers N` under games: all workers are replaced, and nobody is refused."""

import asyncio
import os
import signal
import sys
from functools import partial

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.assembly.test_workers import all_ready, counters, scraped, workers
from tests.support.game import starting_nodes
from tests.support.http import http_session
from tests.support.process import ChildProcess
from tests.support.wait import until
from tests.system.conftest import StartServe
from tests.system.faults.games import Games
from tests.system.faults.players import Players
from tests.system.faults.verdict import Tally, compare, judge
from tests.system.faults.world import PACE
from tests.system.game_server import GameServer

GAMES = int(os.environ.get("REPLACED_GAMES", "8"))
SLOW = {"CALL_INTERVAL_SECONDS": "0.3"}
STUCK_SECONDS = 150
OF_A_SLOW_MACHINE = {"unavailable"}


async def test_workers_are_replaced_under_games_and_nobody_is_refused(
    start_serve: StartServe,
    store_url: str,
    issuer: DevIssuer,
    provider: DevProvider,
) -> None:
    parent = start_serve(**PACE | SLOW, WORKERS="2")
    url = await all_ready(parent, 2)
    before = workers(parent)
    async with (
        http_session() as http,
        starting_nodes() as start_node,
    ):
        players = Players(url, issuer, provider, http)
        games, tally = Games(players), Tally()
        server = GameServer(url, issuer, provider, http)
        replacing = asyncio.create_task(_replace(parent, server, games))
        followers = await games.play(GAMES, GAMES)
        await replacing
        node = await start_node(store_url)
        for follower in followers:
            compare(follower, await judge(node, follower.lobby_id, tally), tally)
    assert workers(parent).isdisjoint(before)
    refusals = {*players.refusals, *(why for each in followers for why in each.refusals)}
    assert refusals <= OF_A_SLOW_MACHINE
    assert tally.wrong == 0, tally
    assert tally.games == GAMES
    sys.stdout.write(f"\nthe worst delay of {tally.calls} calls: {tally.worst_delay_seconds} s\n")
    assert tally.worst_delay_seconds < STUCK_SECONDS
    assert "Traceback" not in parent.output


async def _replace(parent: ChildProcess, server: GameServer, games: Games) -> None:
    """Replace all workers, while their metrics show nothing of it."""
    await games.begin(GAMES)
    before = await scraped(server)
    os.kill(parent.pid, signal.SIGHUP)
    while "workers_replaced" not in parent.output:
        seen = await scraped(server)
        had = counters(before)
        assert {name for name in had if seen[name] < had[name]} == set()
        before = seen
        await asyncio.sleep(0.1)
    # Not all the while: a worker that has just begun, or has no processor for long, is not up.
    await until(partial(_is_up, server))


async def _is_up(server: GameServer) -> bool:
    return (await scraped(server))["fair_bingo_scheduler_up"] == 1
