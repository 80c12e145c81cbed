"""What players read of their past."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import insert, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.books.engine import Books, open_books
from server.books.leaderboard import leaders, leaders_query
from server.books.of_players import PlayerSums, games_of, statement_of
from server.books.patience import PATIENCE_OF_WORK_SECONDS
from server.books.reading import set_listed
from server.books.schema import games, ledger, payouts, seats

GUIDE = Path(__file__).parents[2] / "server/books/README.md"
T0 = datetime(2026, 1, 1, tzinfo=UTC)
EVER = (T0 - timedelta(days=1), T0 + timedelta(days=1000))


@pytest.fixture
async def connection(books_url: str) -> AsyncIterator[AsyncConnection]:
    async with open_books(books_url) as books, books.begin() as connection:
        yield connection


async def game(
    connection: AsyncConnection,
    number: int,
    at: datetime,
    winner: str | None,
    *players: str,
    outcome: str | None = None,
) -> None:
    lobby_id = f"lobby_3500_{number:012}"
    row = {
        "lobby_id": lobby_id,
        "table_name": "3500",
        "buy_in_amount": 3500,
        "variant": "classic",
        "outcome": outcome or ("won" if winner else "no_winner"),
        "winner": winner,
        "pattern": "row_0" if winner else None,
        "pot": 3500 * len(players),
        "player_count": len(players),
        "calls": 20,
        "created_at": at,
        "started_at": at,
        "finished_at": at,
        "server_seed_hash": "h",
        "log_hash": "h",
    }
    await connection.execute(insert(games).values(row))
    for player in players:
        seat = {
            "lobby_id": lobby_id,
            "alien_id": player,
            "kicked": False,
            "left_early": False,
            "won": player == winner,
            "paid_in": 3500,
            "paid_out": 3500 * len(players) if player == winner else 0,
            "finished_at": at,
        }
        await connection.execute(insert(seats).values(seat))


async def entry(
    connection: AsyncConnection, number: int, kind: str, amount: str, event: str = "tx"
) -> None:
    row = {
        "entry_id": f"3500:{number}-0",
        "table_name": "3500",
        "stream_ms": number,
        "stream_seq": 0,
        "kind": kind,
        "amount": Decimal(amount),
        "alien_id": "ann",
        "at": T0 + timedelta(minutes=number),
        "event": event,
        "test": False,
        "fields": {},
        "hash": "h",
    }
    await connection.execute(insert(ledger).values(row))


async def test_a_players_games_are_read_page_by_page_the_latest_first(
    connection: AsyncConnection,
) -> None:
    for number in range(5):
        # Two of them ended in the same instant.
        await game(connection, number, T0 + timedelta(minutes=number // 2), "ann", "ann", "bob")
    await game(connection, 9, T0, None, "bob", "cid")
    found, before = [], None
    while page := await games_of(connection, "ann", 2, before):
        found += [row.lobby_id for row in page]
        before = (page[-1].finished_at, page[-1].lobby_id)
    assert found == [f"lobby_3500_{number:012}" for number in (4, 3, 2, 1, 0)]


async def test_a_statement_is_exact_and_knows_what_is_settled(connection: AsyncConnection) -> None:
    await entry(connection, 1, "received", "3500")
    await entry(connection, 2, "pot", "3500")
    await entry(connection, 3, "refund_owed", "0.25")
    await entry(connection, 4, "payout_owed", "7000")
    await entry(connection, 5, "settled", "7000", event="4-0")
    found, sums = await statement_of(connection, "ann", EVER, 10, None)
    assert [(row.kind, row.amount) for row in found] == [
        ("received", 3500),
        ("refund_owed", Decimal("0.25")),
        ("payout_owed", 7000),
        ("settled", 7000),
    ]
    assert sums == PlayerSums(Decimal(3500), Decimal(7000), Decimal("0.25"))


async def test_the_window_of_a_statement_has_its_start_and_not_its_end(
    connection: AsyncConnection,
) -> None:
    for number in (1, 2, 3):
        await entry(connection, number, "received", "1")
    window = (T0 + timedelta(minutes=1), T0 + timedelta(minutes=3))
    found, sums = await statement_of(connection, "ann", window, 10, None)
    assert [row.entry_id for row in found] == ["3500:1-0", "3500:2-0"]
    assert sums.paid_in == 2
    page, sums = await statement_of(connection, "ann", window, 1, None)
    assert [row.entry_id for row in page] == ["3500:1-0"]
    assert sums.paid_in == 2
    assert await statement_of(connection, "bob", window, 10, None) == (
        [],
        PlayerSums(Decimal(0), Decimal(0), Decimal(0)),
    )


async def test_only_who_wants_to_be_shown_is_among_the_best(connection: AsyncConnection) -> None:
    await game(connection, 1, T0, "ann", "ann", "bob", "cid")
    await game(connection, 2, T0, "bob", "ann", "bob", "cid")
    await game(connection, 3, T0 - timedelta(days=40), "cid", "ann", "bob", "cid")
    await set_listed(connection, "bob", True)
    await set_listed(connection, "cid", True)
    await set_listed(connection, "ann", True)
    await set_listed(connection, "ann", False)
    best = await leaders(connection, None, None)
    assert [(row.alien_id, row.games, row.won, row.coins_won) for row in best] == [
        ("bob", 3, 1, 10_500),
        ("cid", 3, 1, 10_500),
    ]
    lately = await leaders(connection, T0.date() - timedelta(days=30), 3500)
    assert [(row.alien_id, row.won) for row in lately] == [("bob", 1), ("cid", 0)]
    assert await leaders(connection, None, 7000) == []


def test_equals_among_the_best_are_in_the_same_order_in_every_locale() -> None:
    for since in (None, T0.date()):
        assert 'alien_id COLLATE "C"' in str(leaders_query(since, None)).partition("ORDER BY")[2]


async def test_games_that_were_called_off_do_not_count_among_the_best(
    connection: AsyncConnection,
) -> None:
    await set_listed(connection, "ann", True)
    await set_listed(connection, "bob", True)
    await game(connection, 1, T0, None, "ann", outcome="cancelled")
    await game(connection, 2, T0, None, "ann", "bob", outcome="voided")
    for first_day in (None, T0.date()):
        assert await leaders(connection, first_day, None) == []
    await game(connection, 3, T0, None, "ann", "bob", outcome="no_winner")
    await game(connection, 4, T0, "bob", "ann", "bob")
    for first_day in (None, T0.date()):
        for tier in (None, 3500):
            best = await leaders(connection, first_day, tier)
            assert [(row.alien_id, row.games, row.won, row.coins_won) for row in best] == [
                ("bob", 2, 1, 7000),
                ("ann", 2, 0, 0),
            ]


async def test_games_of_the_same_players_that_move_at_once_are_all_counted(books_url: str) -> None:
    players = [f"p{number}" for number in range(20)]
    books = Books(books_url, patience_seconds=PATIENCE_OF_WORK_SECONDS)

    async def move(start: int) -> None:
        for number in range(start, start + 10):
            async with books.begin() as connection:
                await game(connection, number, T0, None)
                sat = [
                    {
                        "lobby_id": f"lobby_3500_{number:012}",
                        "alien_id": player,
                        "kicked": False,
                        "left_early": False,
                        "won": False,
                        "paid_in": 3500,
                        "paid_out": 0,
                        "finished_at": T0,
                    }
                    for player in players[:: -1 if number % 2 else 1]
                ]
                await connection.execute(insert(seats).values(sat))

    await asyncio.gather(*(move(10 * mover) for mover in range(4)))
    async with books.begin() as connection:
        for player in players:
            await set_listed(connection, player, True)
        for first_day in (None, T0.date()):
            best = await leaders(connection, first_day, None)
            assert [row.games for row in best] == [40] * len(players)
    await books.close()


async def test_the_best_since_a_day_are_those_of_all_its_games_and_of_none_before(
    connection: AsyncConnection,
) -> None:
    await set_listed(connection, "ann", True)
    day = timedelta(days=1)
    ends = (T0, T0 + day - timedelta.resolution, T0 + day, T0 + 4 * day)
    for number, at in enumerate(ends):
        await game(connection, number, at, "ann", "ann", "bob")
    counted = {T0 - day: 4, T0: 4, T0 + day: 2, T0 + 2 * day: 1, T0 + 4 * day: 1, T0 + 5 * day: 0}
    for first, number in counted.items():
        for tier in (None, 3500):
            won = [row.won for row in await leaders(connection, first.date(), tier)]
            assert won == ([number] if number else []), first


async def test_the_examples_of_the_guide_answer_as_documented(connection: AsyncConnection) -> None:
    await game(connection, 1, T0, None, "ann", "bob")
    await game(connection, 2, T0, "ann", "ann", "bob")
    for number, kind in ((1, "payout_owed"), (2, "refund_owed"), (3, "refund_owed")):
        await entry(connection, number, kind, "7000")
    await entry(connection, 4, "settled", "7000", event="2-0")
    hostile = {"players": [["ann", 'a\x00b"numbers_called":[9']], "numbers_called": [7, 8]}
    await connection.execute(update(games).values(proof=hostile))
    for number, seconds in ((1, 2), (2, 4)):
        paid = {
            "payout_id": f"po_{number}",
            "entry_id": f"3500:{number}-0",
            "table_name": "3500",
            "kind": "payout",
            "alien_id": "ann",
            "amount": 7000,
            "owed_at": T0,
            "status": "settled",
            "updated_at": T0 + timedelta(seconds=seconds),
        }
        await connection.execute(insert(payouts).values(paid))
    examples = re.findall(r"```sql\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    answers = [(await connection.execute(text(example))).all() for example in examples]
    assert answers == [
        [(T0, 2, 7000)],
        [("3500", "payout_owed", 1, 7000), ("3500", "refund_owed", 1, 7000)],
        [("7", 2)],
        [(T0, 2, timedelta(seconds=3), timedelta(seconds=4))],
    ]
