"""Books for development and what archives into them, if PostgreSQL can be started: games need
neither."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from server.assembly.app import App


@contextmanager
def embedded_books(data_dir: Path) -> Iterator[str | None]:
    """Run books whose data is in `data_dir` for as long as the context lasts, which gives their URL
    as `DATABASE_URL` takes it. If they cannot be started: None, and one line on stdout says why."""
    try:
        from server.dev.books import EmbeddedBooks, EmbeddedBooksError
    except ImportError as error:
        _report_no_books(f"install fair-bingo[books,embedded] ({error})")
        yield None
        return
    books = EmbeddedBooks(data_dir)
    try:
        books.start()
    except (EmbeddedBooksError, OSError) as error:
        _report_no_books(str(error))
        yield None
        return
    try:
        yield books.url
    finally:
        books.stop()


async def migrated(url: str) -> bool:
    """Bring the books at `url` to this version's schema. Returns whether that was possible; if not,
    one line on stdout says why."""
    from server.books.errors import BooksUnavailable, WrongSchema
    from server.books.migrate import migrate

    try:
        await migrate(url)
    except (BooksUnavailable, WrongSchema) as error:
        _report_no_books(str(error))
        return False
    return True


@asynccontextmanager
async def archiving(app: App) -> AsyncIterator[None]:
    """Archive what is over into the server's books, if it has some, for as long as the context
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


def _report_no_books(reason: str) -> None:
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    print(f"No books, but games go on without: {'; '.join(lines)}", flush=True)
