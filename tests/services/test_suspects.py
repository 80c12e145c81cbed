"""Who may be one person: pairs that share games, and addresses, where they are kept."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from server.books.engine import Books, open_books
from server.services.address_book import AddressBook
from server.services.suspects import Pair, Suspects
from tests.support.wait import until

GAMES = (
    "INSERT INTO games SELECT 'lobby_3500_' || lpad(n::text, 12, '0'), '3500', 3500, 'classic',"
    " 'won', 'ann', 'row_0', 7000, 2, 9, now(), now(), now() - n * interval '1 hour',"
    " 'h', 'h', null"
    " FROM generate_series(1, 10) AS n"
)
SEATS = (
    "INSERT INTO seats SELECT lobby_id, name, false, false, name = 'ann', 3500, 0, finished_at"
    " FROM games, unnest(ARRAY['ann', 'bob', 'p' || right(lobby_id, 2)]) AS name"
)


@pytest.fixture
async def books(books_url: str) -> AsyncIterator[Books]:
    """Ten games that ann won, each against bob and somebody else."""
    async with open_books(books_url) as books:
        for statement in (GAMES, SEATS):
            await execute(books, statement)
        yield books


async def execute(books: Books, statement: str) -> Sequence[Any]:
    async with books.begin() as connection:
        found = await connection.exec_driver_sql(statement)
        return found.all() if found.returns_rows else ()


async def find(books: Books, least: int = 2, hours: float = 24) -> Sequence[Pair]:
    return await Suspects(books).find(datetime.now(UTC) - timedelta(hours=hours), least, 10)


async def test_pairs_that_share_games_are_found_with_the_coins_between_them(books: Books) -> None:
    (pair,) = await find(books)
    assert (pair.one, pair.other, pair.shared, pair.of_games) == ("ann", "bob", 10, 10)
    assert (pair.one_to_other, pair.other_to_one, pair.addresses) == (0, 35000, 0)
    assert pair.by_chance == pytest.approx(10 * 10 * 60 / 30**2)
    (pair,) = await find(books, hours=3.5)
    assert (pair.shared, pair.of_games) == (3, 3)
    assert await find(books, least=11) == []


async def test_players_of_one_address_come_first(books: Books) -> None:
    book = AddressBook(books, days=30)
    book.start()
    for name, address in (("ann", "192.0.2.1"), ("p01", "192.0.2.1"), ("bob", "192.0.2.2")):
        book.note(name, address)
        book.note(name, address)

    async def are_kept() -> bool:
        return len(await execute(books, "SELECT 1 FROM addresses")) == 3

    await until(are_kept)
    await book.stop()
    first, *_ = await find(books, least=1)
    assert (first.one, first.other, first.addresses) == ("ann", "p01", 1)


@pytest.mark.parametrize("days", [30, None])
async def test_addresses_are_forgotten_in_time_whether_or_not_others_are_kept(
    books: Books, days: int | None
) -> None:
    for name, days_left in (("ann", -1), ("bob", 1)):
        await execute(
            books,
            f"INSERT INTO addresses VALUES ('{name}', '192.0.2.1', now(), now(),"  # noqa: S608
            f" now() + {days_left} * interval '1 day')",
        )
    book = AddressBook(books, days)
    book.note("eve", "192.0.2.9")
    book.start()

    async def names() -> list[str]:
        found = await execute(books, "SELECT alien_id FROM addresses ORDER BY alien_id")
        return [row.alien_id for row in found]

    async def is_forgotten() -> bool:
        return await names() == (["bob"] if days is None else ["bob", "eve"])

    await until(is_forgotten)
    await book.stop()
