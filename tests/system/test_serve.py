"""`fair-bingo serve` as an operator meets it: what it needs, what it says, how it ends."""

import os
import signal
import socket
import sys

import pytest

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from tests.support.process import StartProcess
from tests.system.conftest import FAIR_BINGO, READY, StartServe
from tests.system.game_server import game_server


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"REDIS_URL": ""}, "REDIS_URL"),
        ({"INVOICE_TTL_SECONDS": "1", "SEAT_SECONDS": "2"}, "INVOICE_TTL_SECONDS"),
        ({"HOST": "nowhere.invalid"}, "HOST"),
    ],
)
async def test_a_bad_environment_stops_the_start_with_one_line_that_names_it(
    start_serve: StartServe, changes: dict[str, str], named: str
) -> None:
    process = start_serve(**changes)
    assert await process.wait() == 2
    (line,) = process.told
    assert named in line


async def test_a_port_that_is_taken_stops_the_start_with_one_line(start_serve: StartServe) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process = start_serve(PORT=port)
        assert await process.wait() == 1
    (line,) = process.output.splitlines()
    assert port in line


async def test_sigterm_sends_everyone_away_and_ends_it(
    start_process: StartProcess,
    variables: dict[str, str],
    issuer: DevIssuer,
    provider: DevProvider,
) -> None:
    # Read from its files, as operators start it.
    command = (sys.executable, FAIR_BINGO, "serve")
    process = start_process(*command, **variables | {"DRAIN_SECONDS": "0.2"})
    ready = await process.wait_for_line(READY)
    async with (
        game_server(ready[1], issuer, provider) as server,
        server.visitor("alice") as alice,
        server.visitor("bob") as bob,
    ):
        await alice.enter("lobbies")
        await bob.enter(await server.seat("bob"))
        process.terminate()
        for visitor in (alice, bob):
            assert (await visitor.receives("draining"))["retry_after_ms"] > 0
            await visitor.ends()
        assert await process.wait() == 0
    assert "Traceback" not in process.output
    assert "cluster_stops_as_one" not in process.output  # that is of a store that is a cluster


async def test_sighup_harms_nobody_where_there_is_one_process(
    start_serve: StartServe, issuer: DevIssuer, provider: DevProvider
) -> None:
    process = start_serve(DRAIN_SECONDS="0.2")
    ready = await process.wait_for_line(READY)
    async with (
        game_server(ready[1], issuer, provider) as server,
        server.visitor("alice") as alice,
        server.visitor("bob") as bob,
    ):
        await alice.enter("lobbies")
        os.kill(process.pid, signal.SIGHUP)
        await process.wait_for_line('"event": "not_replaced"')
        await bob.enter(await server.seat("bob"))
        assert (await alice.ask("list"))["ok"]
    process.terminate()
    assert await process.wait() == 0


@pytest.mark.not_replayed
async def test_sigterm_ends_it_while_it_still_waits_for_the_store(
    start_serve: StartServe, own_store: EmbeddedStore
) -> None:
    own_store.stop()
    process = start_serve(REDIS_URL=own_store.url)
    await process.wait_for_line('"event": "waiting_for_store"')
    process.terminate()
    assert await process.wait() == 0
    assert "Traceback" not in process.output
