"""Books that are down or hang: games and payments go on, and the past is moved later."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis

from protocol.payments import SIGNATURE_HEADER
from server.dev.books import EmbeddedBooks, EmbeddedBooksError
from server.store import keys
from tests.support.process import ChildProcess, StartProcess
from tests.support.wait import until
from tests.system.conftest import FAIR_BINGO, Run, Serve
from tests.system.game_server import WEBHOOK, GameServer
from tests.system.test_books import QUICK, play


@pytest.fixture
async def with_own_books(
    variables: dict[str, str], own_books: EmbeddedBooks, fair_bingo: Run
) -> dict[str, str]:
    """The environment has books that the test may stop or have hang."""
    variables |= {"DATABASE_URL": own_books.url, **QUICK}
    code, output = await fair_bingo("migrate")
    assert code == 0, output
    return variables


async def until_in_books(server: GameServer, name: str, lobby_id: str) -> None:
    async def has_moved() -> bool:
        answer = await server.get("/api/me/games", name)
        return answer.status == 200 and lobby_id in {g["lobby_id"] for g in answer.body["games"]}

    await until(has_moved)


async def has_let_go(store_url: str, lobby_id: str) -> bool:
    async with Redis.from_url(store_url) as store:
        return not await store.exists(keys.proof(lobby_id), keys.events(lobby_id))


async def test_with_the_books_away_games_go_on_and_the_past_is_unavailable(
    with_own_books: dict[str, str],
    serve: Serve,
    own_books: EmbeddedBooks,
    start_process: StartProcess,
) -> None:
    server = await serve()
    archive: ChildProcess = start_process(FAIR_BINGO, "archive", **with_own_books)
    own_books.kill()
    lobby_id = await play(server, "alice", "bob")
    answer = await server.get("/api/me/games", "alice")
    assert (answer.status, answer.body["code"]) == (503, "unavailable")
    await archive.wait_for_line("archive_waits")
    assert archive.exit_code is None
    await until(lambda: is_started(own_books))
    await until_in_books(server, "alice", lobby_id)
    # It is deleted from the store after that.
    await until(lambda: has_let_go(with_own_books["REDIS_URL"], lobby_id))


def is_started(books: EmbeddedBooks) -> bool:
    """Start them; false while something is left of those that were killed."""
    try:
        books.start()
    except EmbeddedBooksError:
        return False
    return True


@contextmanager
def hanging(books: EmbeddedBooks) -> Iterator[None]:
    """The server accepts connections, and answers nothing on any."""
    family = [books.pid]
    # First the one that starts the others, and that waits for those that end: while it is stopped
    # their ids are nobody else's.
    os.kill(books.pid, signal.SIGSTOP)
    try:
        while not is_stopped(books.pid):
            time.sleep(0.01)
        children = Path(f"/proc/{books.pid}/task/{books.pid}/children").read_text().split()
        family += map(int, children)
        for pid in family[1:]:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in reversed(family):
            os.kill(pid, signal.SIGCONT)


def is_stopped(pid: int) -> bool:
    """Whether a process has noticed that it was stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@pytest.mark.not_replayed
async def test_with_books_that_hang_requests_are_answered_and_games_go_on(
    with_own_books: dict[str, str],
    serve: Serve,
    own_books: EmbeddedBooks,
    start_process: StartProcess,
) -> None:
    server = await serve()
    archive = start_process(FAIR_BINGO, "archive", **with_own_books)
    joined = await server.join("carol")
    await server.leave(joined["lobby_id"], "carol")
    lobby_id = await play(server, "alice", "bob")
    await until_in_books(server, "alice", lobby_id)
    await until(lambda: has_let_go(with_own_books["REDIS_URL"], lobby_id))
    with hanging(own_books):
        # More than the server has connections, new and old ones.
        questions = [
            *(server.get("/api/me/games", "alice") for _ in range(8)),
            server.get("/api/me/statement", "alice"),
            server.get("/api/leaderboard"),
            server.request("PUT", "/api/me/profile", "alice", json={"listed": True}),
            server.get(f"/api/game/{lobby_id}/record"),
            server.get(f"/api/game/{lobby_id}/proof"),
        ]
        answers = await asyncio.gather(*questions)
        assert {(a.status, a.body["code"]) for a in answers} == {(503, "unavailable")}
        body = json.dumps(server.provider.payload(joined["invoice"])).encode()
        signed = {SIGNATURE_HEADER: server.provider.sign(body)}
        late = await server.request("POST", WEBHOOK, data=body, headers=signed)
        assert (late.status, "Retry-After" in late.headers) == (503, True)
        another = await play(server, "dave", "erin")
        newcomer = (
            await serve()
        )  # whether the schema is its own is not known, and no reason to wait
        assert archive.exit_code is None
    await until_in_books(newcomer, "dave", another)
    again = await server.request_again("POST", WEBHOOK, data=body, headers=signed)
    assert again.status == 200
    # The second is of one that counted and was not answered in time.
    assert again.body["reason"] in ("refund_owed", "already_processed")
    assert archive.exit_code is None
