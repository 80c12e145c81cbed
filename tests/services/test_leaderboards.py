"""The lists of the best, however many ask for them."""

import asyncio

import pytest
from sqlalchemy import insert

from protocol.history import Leaderboard, Period
from server.books.engine import Books
from server.books.schema import standings
from server.runtime.clock import StoreClock
from server.services.history import History
from server.services.leaderboards import Leaderboards
from server.store.errors import StoreUnavailable
from tests.support.wait import until


class Counted:
    """Reads a list that counts how often it was read, each time when it is let."""

    def __init__(self) -> None:
        self.times = 0
        self.may_answer = asyncio.Event()
        self.away = False

    async def read(self, period: Period, _buy_in_amount: int | None) -> Leaderboard:
        """The list."""
        self.times += 1
        number = self.times
        await self.may_answer.wait()
        if self.away:
            raise StoreUnavailable("away")
        return Leaderboard(period=period, since=str(number), players=[])


async def test_many_who_ask_at_once_ask_the_books_once() -> None:
    counted = Counted()
    boards = Leaderboards(counted.read)
    asking = [asyncio.create_task(boards.of("all", None)) for _ in range(5)]
    await until(lambda: counted.times == 1)
    counted.may_answer.set()
    assert {board.since for board in await asyncio.gather(*asking)} == {"1"}
    assert counted.times == 1
    assert (await boards.of("all", 3500)).since == "2"


async def test_whoever_gives_up_takes_the_answer_from_nobody() -> None:
    counted = Counted()
    boards = Leaderboards(counted.read)
    hasty, patient = [asyncio.create_task(boards.of("all", None)) for _ in range(2)]
    await until(lambda: counted.times == 1)
    hasty.cancel()
    counted.may_answer.set()
    assert (await patient).since == "1"


async def test_a_list_is_read_anew_when_it_has_been_shown_for_a_while() -> None:
    counted = Counted()
    counted.may_answer.set()
    boards = Leaderboards(counted.read)

    async def is_read_again() -> bool:
        return int((await boards.of("all", None)).since or 0) >= 3

    await until(is_read_again)


async def test_what_was_read_before_a_change_is_not_shown_after_it() -> None:
    counted = Counted()
    boards = Leaderboards(counted.read)
    before = asyncio.create_task(boards.of("all", None))
    await until(lambda: counted.times == 1)
    boards.forget()
    after = asyncio.create_task(boards.of("all", None))
    await until(lambda: counted.times == 2)
    counted.may_answer.set()
    assert ((await before).since, (await after).since) == ("1", "2")
    assert (await boards.of("all", None)).since != "1"


async def test_books_that_are_away_are_no_list() -> None:
    counted = Counted()
    counted.away = True
    counted.may_answer.set()
    boards = Leaderboards(counted.read)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await boards.of("all", None)
    counted.away = False
    assert (await boards.of("all", None)).since == "3"


async def test_whoever_wants_to_be_shown_is_at_once(books: Books) -> None:
    past = History(books, StoreClock())
    async with books.begin() as connection:
        won = {"alien_id": "ann", "buy_in_amount": 3500, "games": 1, "won": 1, "coins_won": 7000}
        await connection.execute(insert(standings), won)
    for listed in (True, False, True):
        await past.set_listed("ann", listed)
        shown = (await past.leaderboard("all", None)).players
        assert [player.alien_id for player in shown] == (["ann"] if listed else [])
