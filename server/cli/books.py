"""The commands about the books: `migrate`, `archive` and `draws`."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer
import uvloop

from server.assembly.books import BooksMissing, BooksSide
from server.assembly.stores import Stores, WeakDurability
from server.cli.backends import opened
from server.cli.console import (
    beacon_keys_of_environment,
    fail,
    run,
    settings_of_environment,
    url_of_books,
)
from server.cli.progress import progress
from server.cli.stopping import work_until_stopped
from server.runtime.exit_codes import BAD_SETTINGS, FAILED
from server.runtime.garbage import collect_when_grown, freeze_heap
from server.runtime.settings import Settings
from server.services.past import NotToBegin
from server.store.errors import BooksAway


def migrate(
    *,
    reader: Annotated[
        str | None,
        typer.Option(help="A role that may read what is for analysts."),
    ] = None,
) -> None:
    """Make the schema of the books, or change it as this version needs."""
    url = url_of_books(settings_of_environment())
    try:
        from server.books.errors import BooksUnavailable, WrongSchema
        from server.books.migrate import migrate as migrate_books
    except ImportError as error:
        fail(f"DATABASE_URL needs fair-bingo[books]: {error}", BAD_SETTINGS)
    try:
        revision = uvloop.run(migrate_books(url, reader))
    except WrongSchema as error:
        fail(str(error), BAD_SETTINGS)
    except BooksUnavailable as error:
        fail(f"the books do not answer: {error}")
    print(f"The books have the schema {revision}.")


def archive(
    *,
    until_done: Annotated[
        bool, typer.Option("--until-done", help="End when nothing is left to be moved now.")
    ] = False,
    begin_anew: Annotated[
        str | None,
        typer.Option(
            metavar="TABLE",
            help="Only have a table, whose keys were deleted, follow on what the books have.",
        ),
    ] = None,
) -> None:
    """Move what is over from the store into the books. Any number of these may run."""
    settings = settings_of_environment()
    url_of_books(settings)
    if begin_anew is not None:
        last_id = run(_begin_anew(settings, begin_anew))
        print(f"Table {begin_anew} follows on {begin_anew}:{last_id}.")
        return
    try:
        whole = run(_archive(settings, until_done=until_done))
    except (BooksMissing, WeakDurability) as error:
        fail(str(error), BAD_SETTINGS)
    if not whole:
        fail("not everything could be moved: the log says what")


async def _archive(settings: Settings, *, until_done: bool) -> bool:
    """Whether everything could be moved."""

    async def move(books: BooksSide, stores: Stores, stop: asyncio.Event) -> bool:
        from server.services.archive_loop import ArchiveLoop

        with progress("entries, games and invoices moved", shown=until_done) as moved:
            loop = ArchiveLoop(books.archive, books.operator_archive, stores.tables.read, moved)
            freeze_heap()  # else the collector goes through all of it for every few logs read
            collecting = asyncio.create_task(collect_when_grown())
            try:
                return await loop.run(stop, until_done=until_done)
            finally:
                collecting.cancel()

    whole = await work_until_stopped(settings, move)
    return whole is None or whole  # None: it was stopped before there was anything to do


async def _begin_anew(settings: Settings, table: str) -> str:
    async with opened(settings) as backends:
        try:
            last_id = await backends.named_books.past.begin_anew(table)
            # Or the table is not found, if its tier is no longer offered.
            await backends.stores.tables.note(table)
        except NotToBegin as error:
            fail(str(error))
        return last_id


def draws(
    *,
    since: Annotated[datetime | None, typer.Option(help="From this time on, UTC.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Before this time, UTC.")] = None,
    significance: Annotated[
        float, typer.Option(min=0, max=1, help="A less likely result is exit code 1.")
    ] = 0.001,
    as_json: Annotated[bool, typer.Option("--json", help="Every count too, as JSON.")] = False,
) -> None:
    """Test whether the draws in the books are random. Counts how often each number came at each
    position, with chi-square and its p-value."""
    settings = settings_of_environment()
    url = url_of_books(settings)
    keys = beacon_keys_of_environment()
    try:
        from server.books.engine import open_books
        from server.books.errors import BooksUnavailable
        from server.services import draws as statistics
    except ImportError as error:
        fail(f"DATABASE_URL needs fair-bingo[books]: {error}", BAD_SETTINGS)

    async def found() -> statistics.Draws:
        try:
            await _check_schema(url)
            async with open_books(url) as books:
                return await statistics.draws(books, _utc(since), _utc(until), keys)
        except BooksUnavailable as error:
            raise BooksAway(f"the books do not answer: {error}") from None

    try:
        counted = run(found())
    except BooksMissing as error:
        fail(str(error), BAD_SETTINGS)
    if as_json:
        print(statistics.as_json(counted))
    else:
        print("\n".join(statistics.report_lines(counted, significance)) or "There are no draws.")
    if not statistics.is_random(counted, significance):
        raise typer.Exit(FAILED)


def _utc(time: datetime | None) -> datetime | None:
    return None if time is None else time.replace(tzinfo=UTC)


async def _check_schema(url: str) -> None:
    from server.books.errors import WrongSchema
    from server.books.revisions import check_schema

    try:
        await check_schema(url)
    except WrongSchema as error:
        raise BooksMissing(str(error)) from None
