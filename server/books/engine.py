"""Connections to the books."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import exc
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from server.books.errors import BooksUnavailable

CONNECT_SECONDS: Final = 4
"""Also how long somebody waits for a connection of the pool: routes answer within 5 s."""
_LOST: Final = (
    exc.OperationalError,
    exc.InterfaceError,
    exc.InternalError,  # among others: the server has become a replica, which takes no writes
    exc.TimeoutError,
)


BooksConnection = AsyncConnection
"""A connection to the books, for those who hand it on."""


class Books:
    """The books of one process: a pool of connections, made when they are needed."""

    def __init__(self, url: str, *, connections: int = 5) -> None:
        self.engine: AsyncEngine = create_async_engine(
            make_url(url).set(drivername="postgresql+psycopg"),
            pool_size=connections,
            max_overflow=0,
            pool_timeout=CONNECT_SECONDS,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": CONNECT_SECONDS,
                "application_name": "fair-bingo",
                "options": "-c timezone=UTC",  # whatever this machine's or the server's is
            },
        )

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[BooksConnection]:
        """A connection to read with. Raises BooksUnavailable, also for what fails on it."""
        try:
            async with self.engine.connect() as connection:
                yield connection
        except _LOST as error:
            raise BooksUnavailable(_line(error)) from error

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[BooksConnection]:
        """A transaction, committed when the block ends without an error. Raises BooksUnavailable,
        also for what fails on it: then it is not known whether it was committed."""
        try:
            async with self.engine.begin() as connection:
                yield connection
        except _LOST as error:
            raise BooksUnavailable(_line(error)) from error

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


@asynccontextmanager
async def open_books(url: str) -> AsyncIterator[Books]:
    """The books at `url` for one piece of work."""
    books = Books(url)
    try:
        yield books
    finally:
        await books.close()


def _line(error: BaseException) -> str:
    """The first line of an error: what follows may quote a statement and its values."""
    cause = getattr(error, "orig", None) or error
    return (str(cause).splitlines() or [type(cause).__name__])[0]
