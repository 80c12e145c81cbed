"""Which faults are injected into a world while games run in it, until these are over."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from redis.asyncio import Redis

from tests.support.wait import TIMEOUT_SECONDS
from tests.system.faults.servers import Server
from tests.system.faults.world import World

HANG_SECONDS = (0.5, 2.0)
CUT_SECONDS = (0.0, 0.4)
CLOSE_SECONDS = (0.5, 0.5)
GROWTH = 1.5

Plan = Callable[[World], Coroutine[Any, Any, None]]


async def kill_or_hang_servers(run: World) -> None:
    """Each second one of several servers dies and is started again, or hangs for a while."""
    async with asyncio.TaskGroup() as group:
        while not run.over:
            await asyncio.sleep(1)
            up = [server for server in run.servers if server.up]
            if len(up) > 1:
                inject = random.choice((_kill, _hang))
                group.create_task(inject(run, random.choice(up)))


async def cut_links(run: World) -> None:
    """At random times all connections of players are reset."""
    async for _ in _pauses(run, *CUT_SECONDS):
        run.links.cut()
    run.tally.faults["links cut"] = run.links.cuts


async def cut_links_and_kill_servers(run: World) -> None:
    """Both of these at once."""
    async with asyncio.TaskGroup() as group:
        group.create_task(cut_links(run))
        group.create_task(kill_or_hang_servers(run))


async def restart_one_after_the_other(run: World) -> None:
    """Restart all servers as for a new version, in order."""
    await run.games.begin(run.games_at_once)
    for server in run.servers:
        assert await server.drain() == 0, server.process.output
        await server.restart()
        run.tally.faults["restarted"] += 1


def hang_store(seconds: float) -> Plan:
    """The store stops in the middle of whatever it does, once, for so long."""

    async def plan(run: World) -> None:
        await run.games.begin(run.games_at_once)
        assert run.store is not None
        os.kill(run.store.pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            os.kill(run.store.pid, signal.SIGCONT)
        run.tally.faults[f"{seconds:g} s hung"] += 1

    return plan


def kill_store(seconds: float) -> Plan:
    """The store dies, once, and is started again with its file after so long."""

    async def plan(run: World) -> None:
        await run.games.begin(run.games_at_once)
        assert run.store is not None
        run.store.kill()
        await asyncio.sleep(seconds)
        run.store.start()
        run.tally.faults[f"{seconds:g} s dead"] += 1

    return plan


async def close_store_connections(run: World) -> None:
    """The store closes all its connections, again and again."""
    assert run.store is not None
    async with Redis.from_url(run.store.url, socket_timeout=TIMEOUT_SECONDS) as redis:
        async for _ in _pauses(run, *CLOSE_SECONDS):
            for kind in ("normal", "pubsub"):
                closed = await redis.client_kill_filter(_type=kind)
                run.tally.faults["connections closed"] += int(closed)


async def _pauses(
    run: World, shortest_seconds: float, longest_seconds: float
) -> AsyncIterator[None]:
    """Pauses of random length until all games are over. On a machine so slow that nothing gets
    through in one of them they become longer, until something does."""
    limit_seconds = longest_seconds
    while not run.over:
        received = run.games.received
        await asyncio.sleep(random.uniform(shortest_seconds, limit_seconds))
        yield
        is_through = run.games.received > received
        limit_seconds = longest_seconds if is_through else limit_seconds * GROWTH


async def _kill(run: World, server: Server) -> None:
    run.tally.faults["killed"] += 1
    server.kill()
    await server.restart()


async def _hang(run: World, server: Server) -> None:
    run.tally.faults["hung"] += 1
    await server.hang(random.uniform(*HANG_SECONDS))
