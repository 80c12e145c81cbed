"""What players read of their past, as the services give it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from protocol import history
from protocol.errors import ErrorCode, Refused
from server.books.engine import Books
from server.books.patience import PATIENCE_OF_WORK_SECONDS
from server.books.schema import ledger
from server.runtime.clock import StoreClock
from server.services.history import History, first_instant

T0 = datetime(2026, 1, 1, tzinfo=UTC)
ENTRIES = history.STATEMENT_LIMIT + 20


def payment(number: int) -> dict[str, Any]:
    """A row of the ledger."""
    return {
        "entry_id": f"3500:{number}-0",
        "table_name": "3500",
        "stream_ms": number,
        "stream_seq": 0,
        "kind": "received",
        "amount": 3500,
        "alien_id": "ann",
        "at": T0 + timedelta(minutes=number),
        "event": "tx",
        "test": False,
        "fields": {},
        "hash": "h",
    }


async def test_a_statement_has_the_same_entries_in_pages_of_any_length(books: Books) -> None:
    async with books.begin() as connection:
        await connection.execute(insert(ledger), [payment(number) for number in range(ENTRIES)])
    past, end = History(books, StoreClock()), T0 + timedelta(days=1)
    whole = await past.statement("ann", T0, end, None, 5 * ENTRIES)
    first = await past.statement("ann", T0, end, None)
    assert isinstance(whole, history.Statement)
    assert isinstance(first, history.Statement)
    assert (len(whole.entries), whole.next) == (ENTRIES, None)
    assert len(first.entries) == history.STATEMENT_LIMIT
    last = await past.statement("ann", T0, end, first.next)
    assert isinstance(last, history.Statement)
    assert last.next is None
    assert [*first.entries, *last.entries] == whole.entries
    assert first.sums == last.sums == whole.sums


async def test_entries_of_one_instant_are_in_the_order_of_their_stream(books: Books) -> None:
    numbers = range(8, 12)
    async with books.begin() as connection:
        same = [payment(number) | {"at": T0} for number in numbers]
        await connection.execute(insert(ledger), same)
    past = History(books, StoreClock())
    found, cursor = [], None
    while True:
        page = await past.statement("ann", T0, T0 + timedelta(days=1), cursor, 1)
        assert isinstance(page, history.Statement)
        found += [entry.entry_id for entry in page.entries]
        cursor = page.next
        if cursor is None:
            break
    assert found == [f"3500:{number}-0" for number in numbers]


async def test_an_entry_without_an_amount_takes_nobody_their_statement(books: Books) -> None:
    async with books.begin() as connection:
        entries = [payment(1), payment(2) | {"amount": None}, payment(3)]
        await connection.execute(insert(ledger), entries)
    page = await History(books, StoreClock()).statement("ann", None, None, None)
    assert isinstance(page, history.Statement)
    assert [entry.entry_id for entry in page.entries] == ["3500:1-0", "3500:3-0"]
    assert page.sums.paid_in == 7000


async def test_a_statement_takes_no_cursor_that_names_no_entry(books: Books) -> None:
    past = History(books, StoreClock())
    for cursor in ("1~lobby_3500_1", "1~3500:x-0", f"1~3500:{10**19}-0"):
        assert await past.statement("ann", None, None, cursor) == Refused(ErrorCode.INVALID_MESSAGE)


async def test_what_a_player_asks_is_one_question_to_the_server(
    books_url: str, tmp_path: Path
) -> None:
    books = Books(books_url, connections=1, patience_seconds=PATIENCE_OF_WORK_SECONDS)
    past = History(books, StoreClock())
    questions: dict[str, Callable[[], Awaitable[object]]] = {
        "games": lambda: past.games("ann", 20, None),
        "statement": lambda: past.statement("ann", None, None, None),
    }
    for name, question in questions.items():
        await question()  # now there is a connection
        with (tmp_path / name).open("w") as said:
            async with books.connect() as connection:
                driver: Any = (await connection.get_raw_connection()).driver_connection
                driver.pgconn.trace(said.fileno())
            await question()
            async with books.connect():
                driver.pgconn.untrace()
        answers = (tmp_path / name).read_text().count("\tReadyForQuery\t")
        assert answers == 1, (tmp_path / name).read_text()
    await books.close()


def test_periods_begin_at_a_midnight_of_utc_and_end_with_today() -> None:
    last_instant = datetime(2026, 3, 2, tzinfo=UTC) - timedelta.resolution
    assert first_instant("day", last_instant) == datetime(2026, 3, 1, tzinfo=UTC)
    assert first_instant("day", last_instant + timedelta.resolution) == datetime(
        2026, 3, 2, tzinfo=UTC
    )
    assert first_instant("week", last_instant) == datetime(2026, 2, 23, tzinfo=UTC)
    assert first_instant("month", last_instant) == datetime(2026, 1, 31, tzinfo=UTC)
    assert first_instant("all", last_instant) is None
