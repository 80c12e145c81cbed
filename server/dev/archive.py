"""Books and an archive for development, where they can be had: games need neither."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from server.assembly.app import App


@contextmanager
def embedded_books(data_dir: Path) -> Iterator[str | None]:
    """Where books answer that are kept in `data_dir`, for as long as the context lasts. Where there
    can be none it is None, and one line says why."""
    try:
        from server.dev.books import EmbeddedBooks, EmbeddedBooksError
    except ImportError as error:
        _say_there_are_none(f"install fair-bingo[books,embedded] ({error})")
        yield None
        return
    books = EmbeddedBooks(data_dir)
    try:
        books.start()
    except (EmbeddedBooksError, OSError) as error:
        _say_there_are_none(str(error))
        yield None
        return
    try:
        yield books.url
    finally:
        books.stop()


async def migrated(url: str) -> bool:
    """Bring the books at `url` to this version's schema; where that cannot be done one line says
    why."""
    from server.books.errors import BooksUnavailable, WrongSchema
    from server.books.migrate import migrate

    try:
        await migrate(url)
    except (BooksUnavailable, WrongSchema) as error:
        _say_there_are_none(str(error))
        return False
    return True


@asynccontextmanager
async def archiving(app: App) -> AsyncIterator[None]:
    """What is over moves into the books, if the server has some, for as long as the context
    lasts."""
    if app.books is None:
        yield
        return
    from server.services.archive_loop import ArchiveLoop

    stop = asyncio.Event()
    loop = ArchiveLoop(app.books.archive, app.books.operator_archive, app.stores.tables.read)
    async with asyncio.TaskGroup() as group:
        group.create_task(loop.run(stop))
        try:
            yield
        finally:
            stop.set()


def _say_there_are_none(reason: str) -> None:
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    print(f"No books, but games go on without: {'; '.join(lines)}", flush=True)
