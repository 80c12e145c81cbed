"""The commands about the books: `migrate` and `archive`."""

import asyncio
import signal
from typing import Annotated

import typer
import uvloop

from server.assembly.books import BooksMissing, books_side
from server.assembly.stores import Stores, WeakDurability
from server.cli.console import BAD_SETTINGS, fail, run, settings_of_environment
from server.runtime.clock import StoreClock
from server.runtime.metrics import Metrics
from server.runtime.settings import Settings


def migrate() -> None:
    """Make the schema of the books, or change it to what this version needs."""
    url = _database_url(settings_of_environment())
    try:
        from server.books.errors import BooksUnavailable, WrongSchema
        from server.books.migrate import migrate as migrate_books
    except ImportError as error:
        fail(f"DATABASE_URL needs fair-bingo[books]: {error}", BAD_SETTINGS)
    try:
        revision = uvloop.run(migrate_books(url))
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
) -> None:
    """Move what is over from the store into the books. Any number of these may run."""
    settings = settings_of_environment()
    _database_url(settings)
    try:
        whole = run(_archive(settings, until_done=until_done))
    except (BooksMissing, WeakDurability) as error:
        fail(str(error), BAD_SETTINGS)
    if not whole:
        fail("not everything could be moved: the log says what")


async def _archive(settings: Settings, *, until_done: bool) -> bool:
    clock = StoreClock()
    stores = Stores(settings, clock, Metrics())
    books = books_side(settings, stores, clock)
    assert books is not None  # noqa: S101 - the settings name them
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await books.check()
        await stores.wait_until_usable()
        from server.services.archive_loop import ArchiveLoop

        loop = ArchiveLoop(books.archive, books.operator_archive, stores.tables.read)
        return await loop.run(stop, until_done=until_done)
    finally:
        await books.close()
        await stores.close()


def _database_url(settings: Settings) -> str:
    if settings.database_url is None:
        fail("DATABASE_URL: is missing", BAD_SETTINGS)
    return settings.database_url
