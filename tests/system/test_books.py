"""Servers, the archive and the commands with books, as processes of their own."""

import asyncio
import csv
import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import psycopg
import pytest
from redis.asyncio import Redis

from server.dev.ports import free_port
from tests.support.process import ChildProcess, StartProcess
from tests.support.wait import until
from tests.system.conftest import FAIR_BINGO, Run, Serve
from tests.system.game_server import WEBHOOK, GameServer

QUICK = {
    "HTTP_RATE": "0",
    "MAX_PLAYERS": "2",
    "CALL_INTERVAL_SECONDS": "0.02",
    "FINISHED_TTL_SECONDS": "0.2",
    "INVOICE_HOT_SECONDS": "0",
}

QUERIES = {  # each with the entries that alice has there
    "from=&to=&before=": 1,
    "from=2020-01-01": 1,
    "from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z": 0,
    "from=2020-01-01T00:00:00+00:00": 1,  # as a program has it that forgets to encode
    "from=2020-01-01%2000:00&to=2020-01-01T00:00:00.5%2B02:00": 0,
}

Move = Callable[[], Awaitable[None]]


@pytest.fixture
def with_books(variables: dict[str, str], books_url: str) -> dict[str, str]:
    """The environment has books."""
    variables |= {"DATABASE_URL": books_url, **QUICK}
    return variables


@pytest.fixture
async def server(with_books: dict[str, str], serve: Serve) -> GameServer:
    """A server with books."""
    return await serve()


@pytest.fixture
async def move(fair_bingo: Run) -> Move:
    """Moves all that is over."""

    async def archive() -> None:
        code, output = await fair_bingo("archive", "--until-done")
        assert code == 0, output

    return archive


async def play(server: GameServer, *names: str) -> str:
    """A game to its end, without a claim."""
    lobby_id = await server.ready(*names)
    await until_over(server, lobby_id, names[0])
    return lobby_id


async def until_over(server: GameServer, lobby_id: str, name: str) -> None:
    """Return when a game has ended, or is gone already."""

    async def is_over() -> bool:
        answer = await server.get(f"/api/game/{lobby_id}/status", name)
        return answer.status == 404 or answer.body["status"] == "finished"

    await until(is_over)


def has_begun(process: ChildProcess) -> bool:
    """Whether a server is ready, or an archive has found out what it moves to."""
    return '"ready"' in process.output or "archive_stopped" in process.output


async def test_nobody_starts_on_books_without_their_schema(
    variables: dict[str, str], empty_url: str, fair_bingo: Run, start_process: StartProcess
) -> None:
    variables |= {"DATABASE_URL": empty_url, "PAYOUT_URL": "http://127.0.0.1:1"}
    variables["PAYOUT_KEY"] = "00" * 32

    async def is_refused(command: str) -> bool:
        """Whether it does not start; false if the books did not say in time what they are."""
        process = start_process(FAIR_BINGO, command, **variables)
        await until(lambda: process.exit_code is not None or has_begun(process))
        if process.exit_code in (None, 1):
            process.kill()
            return False
        assert process.exit_code == 2, process.output
        assert "run `fair-bingo migrate`" in process.output
        return True

    for command in ("serve", "archive", "payouts", "audit"):
        await until(partial(is_refused, command))
    for _ in range(2):
        code, output = await fair_bingo("migrate")
        assert code == 0, output
    code, output = await fair_bingo("audit")
    assert code == 0, output


@pytest.mark.not_replayed
async def test_what_is_over_is_found_wherever_it_is(
    server: GameServer, fair_bingo: Run, move: Move, store_url: str, tmp_path: Any
) -> None:
    lobby_id = await play(server, "alice", "bob")
    await until(lambda: lags(server))
    await move()
    await until(lambda: is_gone(store_url, lobby_id))

    proof = await server.get_again(f"/api/game/{lobby_id}/proof")
    assert proof.status == 200
    record = await server.get_again(f"/api/game/{lobby_id}/record")
    assert record.status == 200
    assert record.body["proof"] == proof.body
    code, output = await fair_bingo("replay", lobby_id)
    assert (code, "The log holds." in output) == (0, True), output
    path = str(tmp_path / "game.json")
    code, output = await fair_bingo("export", lobby_id, "--out", path)
    assert code == 0, output
    code, output = await fair_bingo("verify", path)
    assert code == 0, output

    page = (await server.get_again("/api/me/games", "alice")).body
    (game,) = page["games"]
    assert game["lobby_id"] == lobby_id
    assert (game["outcome"], game["won"], game["paid_in"], game["paid_out"]) == (
        "no_winner",
        False,
        3500,
        0,
    )
    assert page["next"] is None
    statement = (await server.get_again("/api/me/statement", "alice")).body
    assert [(e["kind"], e["amount"]) for e in statement["entries"]] == [("received", 3500)]
    assert statement["sums"] == {"paid_in": 3500, "paid_out": 0, "owed": 0}
    for query, entries in QUERIES.items():
        found = await server.get_again(f"/api/me/statement?{query}", "alice")
        assert (found.status, len(found.body["entries"])) == (200, entries), query
    ranks = await server.get_again("/api/leaderboard?period=all&buy_in_amount=")
    assert ranks.status == 200
    table = await server.request_again(
        "GET", "/api/me/statement", "alice", headers={"Accept": "text/csv"}
    )
    assert table.content_type == "text/csv"
    assert table.body.count(b"\n") == 2
    for accepted in ("text/csv;q=0", "application/json, text/csv;q=0.5", "text/csvish"):
        plain = await server.request_again(
            "GET", "/api/me/statement", "alice", headers={"Accept": accepted}
        )
        assert plain.content_type == "application/json"

    await until(lambda: lags_no_more(server))
    code, output = await fair_bingo("audit")
    assert code == 0, output
    assert "received 7000 = pot 0 + payout_owed 0 + refund_owed 0 + house 7000" in output


async def lags(server: GameServer) -> bool:
    """Whether the metrics say that a game should be in the books."""
    return any(lag > 0 for lag in await archive_lags(server))


async def lags_no_more(server: GameServer) -> bool:
    """Whether the metrics say that none should be."""
    return await archive_lags(server) == [0]


async def archive_lags(server: GameServer) -> list[float]:
    """The lag of the tier that is played; none before the server could look at the store."""
    metrics = (await server.get("/metrics")).body.decode()
    assert "fair_bingo_store_memory_bytes" in metrics
    found = re.findall(r'^fair_bingo_archive_lag_seconds{tier="3500"} (\S+)$', metrics, re.M)
    return [*map(float, found)]


async def is_gone(store_url: str, lobby_id: str) -> bool:
    async with Redis.from_url(store_url) as redis:
        left = [key async for key in redis.scan_iter(match=f"*{lobby_id}*")]
    return not left


@pytest.mark.not_replayed
async def test_a_debt_that_has_moved_is_listed_and_settled_once(
    server: GameServer, fair_bingo: Run, move: Move
) -> None:
    joined = await server.join("alice")
    await server.pay(joined["invoice"])
    await server.leave(joined["lobby_id"], "alice")
    await play(server, "bob", "carol")
    await move()
    code, output = await fair_bingo("ledger", "list", "--owed")
    assert code == 0, output
    (line,) = [line for line in output.splitlines() if "refund_owed" in line]
    entry = line.split(" ")[0]
    formula = '=HYPERLINK("http://evil","see")'
    code, output = await fair_bingo("ledger", "settle", entry, "--reference", formula)
    assert code == 0, output
    code, output = await fair_bingo("ledger", "settle", entry, "--reference", "tx-2")
    assert code == 1, output
    await move()
    code, output = await fair_bingo("ledger", "list", "--owed")
    assert "refund_owed" not in output
    code, output = await fair_bingo("ledger", "settle", entry, "--reference", "tx-3")
    assert code == 1, output
    assert "settled before" in output
    statement = (await server.get_again("/api/me/statement", "alice")).body
    assert statement["sums"] == {"paid_in": 3500, "paid_out": 3500, "owed": 0}
    assert statement["entries"][-1]["reference"] == formula
    table = await server.request_again(
        "GET", "/api/me/statement", "alice", headers={"Accept": "text/csv"}
    )
    assert [*csv.reader(table.body.decode().splitlines())][-1][-1] == f"'{formula}"
    code, output = await fair_bingo("audit")
    assert code == 0, output


@pytest.mark.not_replayed
async def test_a_delivery_about_an_invoice_that_has_moved_counts_once(
    server: GameServer, fair_bingo: Run, move: Move, store_url: str
) -> None:
    joined = await server.join("alice")
    await server.leave(joined["lobby_id"], "alice")
    await play(server, "bob", "carol")
    await move()
    async with Redis.from_url(store_url) as redis:
        key = f"invoice:{{3500}}:{joined['invoice']['invoice_id']}"
        await until(lambda: is_absent(redis, key))
    payload = server.provider.payload(joined["invoice"])
    deliver = partial(server.provider.deliver, server.url + WEBHOOK, payload)
    both = [answer.json() for answer in await asyncio.gather(deliver(), deliver())]
    reasons = {answer["reason"] for answer in both}
    # One that was not answered in time may count, and be sent again.
    assert {"already_processed"} <= reasons <= {"already_processed", "refund_owed"}
    await move()
    assert (await deliver()).json()["reason"] == "already_processed"
    code, output = await fair_bingo("audit")
    assert code == 0, output
    assert "refund_owed 3500" in output


async def is_absent(redis: Any, key: str) -> bool:
    return not await redis.exists(key)


@pytest.mark.not_replayed
async def test_an_altered_row_and_a_dropped_entry_are_named(
    server: GameServer, fair_bingo: Run, move: Move, books_url: str
) -> None:
    await play(server, "alice", "bob")
    await move()
    with psycopg.connect(books_url) as connection:
        connection.execute("UPDATE ledger SET amount = 1 WHERE kind = 'received'")
    code, output = await fair_bingo("audit")
    assert code == 1, output
    assert output.count("in the books") == 2, output
    with psycopg.connect(books_url) as connection:
        connection.execute("DELETE FROM ledger WHERE kind = 'received'")
    code, output = await fair_bingo("audit")
    assert code == 1, output
    assert "entries less than were moved" in output


async def test_without_books_their_routes_are_not_offered(open_server: GameServer) -> None:
    for path in ("/api/me/games", "/api/me/statement", "/api/leaderboard"):
        answer = await open_server.get(path, "alice")
        assert (answer.status, answer.body["code"]) == (404, "not_offered")


async def test_an_address_may_ask_for_everyones_past_so_often_only(
    with_books: dict[str, str], serve: Serve
) -> None:
    with_books |= {"CONNECT_RATE": "0.001"}
    server = await serve()
    paths = ("/api/leaderboard", "/api/game/lobby_3500_0123456789ab/record", "/api/leaderboard")
    answers = [await server.get(path) for path in paths]
    assert [answer.status for answer in answers[1:]] == [429, 429]
    assert answers[0].status in (200, 503)  # whoever may ask may find the books held up
    assert answers[1].body["code"] == "rate_limited"
    assert (await server.get_again("/api/me/games", "alice")).status == 200


async def test_an_archive_that_waits_for_the_store_ends_at_a_signal(
    with_books: dict[str, str], start_process: StartProcess
) -> None:
    nowhere = {"REDIS_URL": f"redis://127.0.0.1:{free_port()}"}
    archive = start_process(FAIR_BINGO, "archive", **with_books | nowhere)
    await archive.wait_for_line("waiting_for_store")
    archive.terminate()
    assert await archive.wait() == 0
