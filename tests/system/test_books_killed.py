"""Archives that are killed at random while games run: nothing is doubled, nothing is missing."""

import asyncio
import os
import random
from typing import Any

import psycopg
import pytest

from tests.support.process import ChildProcess, StartProcess
from tests.support.wait import until
from tests.system.conftest import FAIR_BINGO, Run, Serve
from tests.system.test_books import QUICK, until_over

SECONDS = float(os.environ.get("FAULT_SECONDS", "10"))
ARCHIVES = 3
TIERS = (3500, 7000, 17500)
FAST = {**QUICK, "ARRANGING_SECONDS": "0.02", "CALL_INTERVAL_SECONDS": "0.005"}

BOOKED = "SELECT sum(amount) FROM ledger WHERE kind = 'received'"


@pytest.mark.not_replayed
async def test_archives_that_are_killed_at_random_lose_and_double_nothing(
    variables: dict[str, str],
    books_url: str,
    serve: Serve,
    start_process: StartProcess,
    fair_bingo: Run,
) -> None:
    variables |= {"DATABASE_URL": books_url, **FAST}
    server = await serve()
    over = asyncio.Event()
    played: list[str] = []
    received: list[int] = []

    async def keep_playing(tier: int) -> None:
        while not over.is_set():
            names = [f"player-{tier}-{len(played)}-{seat}" for seat in "ab"]
            played.append(await server.seat(*names, buy_in_amount=tier))
            received.append(2 * tier)
            await until_over(server, played[-1], names[0])

    async def keep_killing() -> None:
        archives: list[ChildProcess] = []
        async with asyncio.timeout(SECONDS):
            while True:
                archives = [a for a in archives if a.exit_code is None]
                while len(archives) < ARCHIVES:
                    archives.append(start_process(FAIR_BINGO, "archive", **variables))
                await asyncio.sleep(random.uniform(0.3, 1.5))
                random.choice(archives).kill()

    async with asyncio.TaskGroup() as group:
        for tier in TIERS:
            group.create_task(keep_playing(tier))
        try:
            await keep_killing()
        except TimeoutError:
            over.set()

    async def is_moved() -> bool:
        # What an archive that was killed, or is at work, has not yet let go is not waited for.
        code, output = await fair_bingo("archive", "--until-done")
        assert code == 0, output
        (booked,) = moved(books_url, BOOKED)
        games = moved(books_url, "SELECT lobby_id FROM games")
        return len(games) >= len(played) and booked is not None and booked >= sum(received)

    await until(is_moved)
    assert sorted(moved(books_url, "SELECT lobby_id FROM games")) == sorted(played)
    (booked,) = moved(books_url, BOOKED)
    assert booked == sum(received)
    assert len(moved(books_url, "SELECT DISTINCT fields::text FROM ledger")) == len(
        moved(books_url, "SELECT 1 FROM ledger")
    )
    code, output = await fair_bingo("audit")
    assert code == 0, output


def moved(books_url: str, query: str) -> list[Any]:
    with psycopg.connect(books_url) as connection:
        return [row[0] for row in connection.execute(query.encode())]
