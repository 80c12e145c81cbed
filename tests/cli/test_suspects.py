"""`fair-bingo admin suspects`: from the books, while no server runs."""

import json

import pytest
from typer.testing import CliRunner

from server.books.engine import open_books
from server.cli.main import whole
from tests.services.test_suspects import GAMES, SEATS
from tests.system.conftest import Run


async def test_pairs_are_listed_for_people_and_for_programs(
    books_url: str, variables: dict[str, str], fair_bingo: Run
) -> None:
    async with open_books(books_url) as books, books.begin() as connection:
        for statement in (GAMES, SEATS):
            await connection.exec_driver_sql(statement)
    variables["DATABASE_URL"] = books_url

    code, output = await fair_bingo("admin", "suspects")
    assert (code, output) == (
        0,
        "ann bob: together in 10 of 10 games; 6.7 by chance;"
        " 0 coins of the first to the second, 35000 back\n",
    )
    code, output = await fair_bingo("admin", "suspects", "--json", "--least", "1", "--most", "2")
    first, second = map(json.loads, output.splitlines())
    assert (code, first) == (
        0,
        {
            "players": ["ann", "bob"],
            "shared": 10,
            "of": 10,
            "by_chance": 6.67,
            "coins": ["0", "35000"],
            "addresses": 0,
        },
    )
    assert (second["players"], second["shared"], second["of"]) == (["ann", "p01"], 1, 1)
    assert await fair_bingo("admin", "suspects", "--least", "11") == (0, "")


async def test_without_books_it_ends_with_an_error(fair_bingo: Run) -> None:
    code, output = await fair_bingo("admin", "suspects")
    assert (code, "DATABASE_URL" in output) == (2, True)


@pytest.mark.parametrize("days", ["-1", "1e9"])
def test_days_that_no_calendar_has_are_refused(days: str) -> None:
    result = CliRunner().invoke(whole(), ["admin", "suspects", "--days", days])
    assert (result.exit_code, "--days" in result.output) == (2, True), result.output
