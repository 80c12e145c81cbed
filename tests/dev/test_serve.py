"""The development server as a program: started, stopped, and started again."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from protocol.client import connect_front_desk
from protocol.views import LobbyView
from server.dev.ports import free_port
from tests.support.process import ChildProcess, StartProcess
from tests.support.wait import until

SERVE = """
import asyncio, os, pathlib, sys
from server.dev.serve import serve_dev
asyncio.run(serve_dev(os.environ, pathlib.Path(sys.argv[1])))
"""


async def start(start_process: StartProcess, data_dir: Path) -> tuple[ChildProcess, str]:
    """A development server that has said where it is."""
    server = start_process(
        sys.executable, "-c", SERVE, str(data_dir), PORT=str(free_port()), BUY_IN_TIERS="3500"
    )
    found = await server.wait_for_line(r"running on (http://\S+)")
    return server, found[1]


async def token(url: str, player: str) -> str:
    async with httpx.AsyncClient(base_url=url) as client:
        answer = await client.post("/dev/token", json={"alien_id": player})
    return str(answer.json()["token"])


async def paid_lobbies(url: str) -> list[LobbyView]:
    """The forming lobbies in which somebody has paid."""
    async with connect_front_desk(url, await token(url, "eve")) as desk:
        return [lobby for lobby in await desk.list() if lobby.pot]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_the_server_in_order(
    start_process: StartProcess, tmp_path: Path, stop: signal.Signals
) -> None:
    server, _ = await start(start_process, tmp_path / "state")
    os.kill(server.pid, stop)
    assert await server.wait() == 0, server.output
    assert "Traceback" not in server.output


async def test_the_next_start_finds_the_lobbies_of_the_last(
    start_process: StartProcess, tmp_path: Path
) -> None:
    first, url = await start(start_process, tmp_path / "state")
    lobbies: list[Any] = []

    async def has_company() -> bool:
        lobbies[:] = await paid_lobbies(url)
        return bool(lobbies)

    await until(has_company)
    first.terminate()
    await first.wait()
    _, url = await start(start_process, tmp_path / "state")
    assert [lobby.lobby_id for lobby in await paid_lobbies(url)] == [lobbies[0].lobby_id]
