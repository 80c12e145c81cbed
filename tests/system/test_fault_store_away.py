"""The store hangs: what players are answered meanwhile, and that nothing piles up."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from server.store.timings import TIMINGS
from server.transport.http.runner import KEEP_ALIVE_SECONDS
from tests.support.wait import until
from tests.system.game_server import GameServer, running_app, ticket

PLAYERS = 60
NOT_ONE_AFTER_THE_OTHER_SECONDS = 100  # a store that hangs is given up after 2 s


@pytest.fixture
async def server(
    own_store: EmbeddedStore, issuer: DevIssuer, provider: DevProvider
) -> AsyncIterator[GameServer]:
    """A server in this process, so that its tasks can be counted."""
    async with running_app(
        own_store.url, issuer, provider, KEEP_ALIVE_SECONDS, TIMINGS, HTTP_RATE="0"
    ) as started:
        yield started


async def test_commands_are_refused_for_now_and_no_task_is_left_over(
    server: GameServer, own_store: EmbeddedStore
) -> None:
    lobby_id = await server.seat("alice", "bob")
    async with server.visitor("alice") as alice:
        await alice.enter(lobby_id)
        await until(lambda: nobody_is_seated(server, lobby_id))
        tasks = len(asyncio.all_tasks())
        os.kill(own_store.pid, signal.SIGSTOP)
        try:
            health = await server.get("/health")
            assert (health.status, health.body["redis_connected"]) == (503, False)
            for _ in range(2):
                assert await answers_to_many(server, lobby_id) == {(503, "unavailable")}
            assert await alice.refusal("arrange_grid", {"grid": ticket("alice")}) == "unavailable"
            await until(lambda: len(asyncio.all_tasks()) <= tasks + PLAYERS)
        finally:
            os.kill(own_store.pid, signal.SIGCONT)
        await until(lambda: is_healthy(server))
        await until(lambda: nobody_is_seated(server, lobby_id))
        assert (await alice.ask("arrange_grid", {"grid": ticket("alice")}))["ok"]
        await until(lambda: len(asyncio.all_tasks()) <= tasks)


async def answers_to_many(server: GameServer, lobby_id: str) -> set[tuple[int, str]]:
    """Status and code of the answers to many who ask at once for something of the same lobby."""
    path = f"/api/game/{lobby_id}/leave"
    async with asyncio.timeout(NOT_ONE_AFTER_THE_OTHER_SECONDS):
        asked = (server.post(path, f"player-{number}") for number in range(PLAYERS))
        return {(answer.status, answer.body["code"]) for answer in await asyncio.gather(*asked)}


async def nobody_is_seated(server: GameServer, lobby_id: str) -> bool:
    """Whether they are all answered that they are not."""
    return await answers_to_many(server, lobby_id) == {(403, "not_seated")}


async def is_healthy(server: GameServer) -> bool:
    return (await server.get("/health")).status == 200
