import sys
from typing import Any

import pytest
from redis.asyncio import Redis

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.bench.support.serving import BENCHMARK_SECONDS
from tests.support.process import StartProcess
from tests.system.game_server import numbers, running_app, ticket
from tests.system.visitor import Visitor


async def commands_to_the_store(
    store_url: str, lobby_id: str, asker: Visitor, *ask: Any
) -> list[str]:
    """What the store is asked that has to do with a lobby, while a command is carried out. Scripts
    count as one, whatever they do; what the caller asks names the table, and not the lobby."""
    received: list[str] = []
    patient = Redis.from_url(store_url, socket_timeout=None)
    async with patient as redis, redis.monitor() as monitor:
        await asker.ask(*ask)
        await redis.echo("over")
        async for said in monitor.listen():
            name, _, arguments = said["command"].partition(" ")
            if (name, arguments) == ("ECHO", "over"):
                return received
            if said["client_type"] != "lua" and lobby_id in arguments:
                received.append(name)
    raise AssertionError("the store said nothing more")


@pytest.mark.parametrize(
    "ask",
    [
        ("select_numbers", {"numbers": numbers("alice")}),
        ("arrange_grid", {"grid": ticket("alice")}),
        ("claim",),
    ],
    ids=lambda ask: ask[0],
)
async def test_a_command_on_a_lobby_that_the_node_holds_is_one_round_trip(
    store_url: str,
    issuer: DevIssuer,
    provider: DevProvider,
    monkeypatch: pytest.MonkeyPatch,
    ask: tuple[Any, ...],
) -> None:
    # What is too old when it comes to the store is decided again, and asked again.
    monkeypatch.setattr("server.store.commits.MAX_DECISION_AGE_MS", 60_000)
    async with running_app(store_url, issuer, provider, ARRANGING_SECONDS="3600") as server:
        lobby_id = await server.seat("alice", "bob")
        if ask == ("claim",):
            await server.arrange(lobby_id, "alice", "bob")
        async with server.visitor("alice") as alice:
            await alice.enter(lobby_id)
            asked = await commands_to_the_store(store_url, lobby_id, alice, *ask)
    assert asked == ["EVALSHA"]


async def test_the_benchmark_prints_a_row_for_each_command_limit_and_part(
    start_process: StartProcess,
) -> None:
    options = [
        "--rounds",
        "1",
        "--games",
        "1",
        "--concurrency",
        "4",
        "--rate",
        "40",
        "--times",
        "20",
    ]
    process = start_process(sys.executable, "-m", "tests.bench.commands", *options)
    assert await process.wait(BENCHMARK_SECONDS) == 0, process.output
    for row in (
        *("join", "arrange_grid", "claim, false", "claim, valid"),
        *("the commit script alone", "PING"),
        *("read the packet", "verify a token, EdDSA", "decide", "push to a room of ten"),
    ):
        assert f"\n| {row} |" in process.output, process.output
