"""The development server as a program: started, stopped, and started again."""

import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from protocol.client import connect
from protocol.connection import CommandRefused, ConnectionLost
from protocol.views import LobbyView
from server.dev.ports import free_port
from tests.support.http import answered
from tests.support.process import ChildProcess, StartProcess
from tests.support.wait import TIMEOUT_SECONDS, until

SERVE = """
import asyncio, os, pathlib, sys
from server.dev.serve import serve_dev
asyncio.run(serve_dev(os.environ, pathlib.Path(sys.argv[1])))
"""


async def start(
    start_process: StartProcess, data_dir: Path, **changes: str
) -> tuple[ChildProcess, str]:
    """Start a development server, and wait for its URL. `changes` are variables of its
    environment."""
    variables = {"PORT": str(free_port()), "BUY_IN_TIERS": "3500", **changes}
    server = start_process(sys.executable, "-c", SERVE, str(data_dir), **variables)
    found = await server.wait_for_line(r"running on (http://\S+)")
    return server, found[1]


async def token(url: str, player: str) -> str:
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_SECONDS) as client:
        answer = await client.post("/dev/token", json={"alien_id": player})
    return str(answer.json()["token"])


async def paid_lobbies(url: str) -> list[LobbyView]:
    """The forming lobbies in which somebody has paid, when there are any."""
    found: list[LobbyView] = []

    async def are_there() -> bool:
        with suppress(CommandRefused, ConnectionLost):  # of a server that is held up
            async with connect(url, await token(url, "eve")) as desk:
                found[:] = [lobby for lobby in await desk.list() if lobby.pot]
        return bool(found)

    await until(are_there)
    return found


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
    lobbies = await paid_lobbies(url)
    first.terminate()
    await first.wait()
    _, url = await start(start_process, tmp_path / "state")
    assert [lobby.lobby_id for lobby in await paid_lobbies(url)] == [lobbies[0].lobby_id]


FAST = {"MAX_PLAYERS": "2", "ARRANGING_SECONDS": "0.1", "CALL_INTERVAL_SECONDS": "0.02"}


@asynccontextmanager
async def playing(url: str, player: str) -> AsyncIterator[httpx.AsyncClient]:
    """The client of someone who has paid to play with a bot."""
    access = {"Authorization": f"Bearer {await token(url, player)}"}
    async with httpx.AsyncClient(base_url=url, headers=access, timeout=TIMEOUT_SECONDS) as client:
        seat = {"buy_in_amount": 3500}
        joined = await answered(lambda: client.post("/api/game/join", json=seat))
        paid = {"invoice_id": joined["invoice"]["invoice_id"]}
        await answered(lambda: client.post("/dev/pay", json=paid))
        yield client


async def test_what_was_played_is_in_the_books_and_these_end_with_the_server(
    start_process: StartProcess, tmp_path: Path
) -> None:
    elsewhere = "postgresql://nobody@127.0.0.1:1/production"
    changes = FAST | {"DATABASE_URL": elsewhere, "HTTP_RATE": "0"}  # it is asked until it has come
    server, url = await start(start_process, tmp_path / "state", **changes)
    async with playing(url, "ann") as client:

        async def has_a_past() -> bool:
            answer = await client.get("/api/me/games")
            assert answer.status_code in (200, 503), answer.text  # the books may be held up
            return answer.is_success and bool(answer.json()["games"])

        await until(has_a_past)
    found = (tmp_path / "state/books/cluster/postmaster.pid").read_text()
    books_port = int(found.splitlines()[3])
    assert is_open(books_port)
    os.kill(server.pid, signal.SIGKILL)
    await until(lambda: not is_open(books_port))


def is_open(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


async def test_where_there_can_be_no_books_games_go_on_and_one_line_gives_the_reason(
    start_process: StartProcess, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "books").write_text("a file where the books would be")
    server, url = await start(start_process, state, **FAST)
    (line,) = [line for line in server.output.splitlines() if "No books" in line]
    assert "books" in line.partition(":")[2]
    assert "Traceback" not in server.output
    async with playing(url, "ann") as client:
        assert (await client.get("/api/me/games")).json()["code"] == "not_offered"
