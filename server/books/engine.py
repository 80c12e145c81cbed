"""Connections to the books."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, Self

import psycopg
from sqlalchemy import exc
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from server.books.errors import BooksUnavailable

CONNECT_SECONDS: Final = 4
"""Also how long somebody waits for a connection of the pool: routes answer within 5 s."""
READING_SECONDS: Final = 4.0
WRITING_SECONDS: Final = 60.0
_LOST: Final = (
    exc.OperationalError,
    exc.InterfaceError,
    exc.InternalError,  # among others: the server has become a replica, which takes no writes
    exc.TimeoutError,
    psycopg.OperationalError,
    TimeoutError,
)


BooksConnection = AsyncConnection
"""A connection to the books, for those who hand it on."""


class Books:
    """The books of one process: a pool of connections, made when they are needed. Whoever uses one
    has it for so many seconds at most, also if the server hangs."""

    def __init__(self, url: str, *, connections: int = 5) -> None:
        self.engine: AsyncEngine = create_async_engine(
            make_url(url).set(drivername="postgresql+psycopg"),
            pool_size=connections,
            max_overflow=0,
            connect_args={
                "connect_timeout": CONNECT_SECONDS,
                "application_name": "fair-bingo",
                # Whatever the zone of this machine or of the server is. And a process that is
                # suspended amid a transaction does not keep its rows from the others for ever.
                "options": "-c timezone=UTC -c idle_in_transaction_session_timeout=30000",
            },
        )

    @asynccontextmanager
    async def connect(self, seconds: float = READING_SECONDS) -> AsyncIterator[BooksConnection]:
        """A connection to read with. Raises BooksUnavailable, also for what fails on it."""
        try:
            with _Limit(seconds) as limit:
                connection = await self._working_connection(limit)
                try:
                    yield connection
                finally:
                    await connection.close()
        except _LOST as error:
            raise BooksUnavailable(_line(error)) from error

    @asynccontextmanager
    async def begin(self, seconds: float = WRITING_SECONDS) -> AsyncIterator[BooksConnection]:
        """A transaction, committed when the block ends without an error. Raises BooksUnavailable,
        also for what fails on it: then it is not known whether it was committed."""
        async with self.connect(seconds) as connection, connection.begin():
            yield connection

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()

    async def _working_connection(self, limit: "_Limit") -> BooksConnection:
        """A connection of the pool that answers: the server may have been away since its last
        use."""
        while True:
            async with asyncio.timeout(CONNECT_SECONDS):
                connection = await self.engine.connect()
            driver: Any = (await connection.get_raw_connection()).driver_connection
            limit.hold(driver.fileno())
            try:
                await driver.execute("SELECT 1")
            except psycopg.OperationalError:
                await connection.invalidate()
                await connection.close()
                if limit.is_over or not self._has_others():
                    raise
            else:
                return connection

    def _has_others(self) -> bool:
        """Whether there are connections that were made earlier, and may be as dead."""
        pool = self.engine.pool
        return isinstance(pool, QueuePool) and pool.checkedin() > 0


class _Limit:
    """When the time is up, the connection that it holds is hung up: whoever waits on it has an
    error. To cancel that one would not do, since the driver waits for the server even then."""

    def __init__(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._hang_up)
        self._socket: socket.socket | None = None
        self.is_over = False

    def hold(self, descriptor: int) -> None:
        """Hang up this socket, instead of an earlier one."""
        self._let_go()
        self._socket = socket.socket(fileno=os.dup(descriptor))
        if self.is_over:
            self._hang_up()

    def _hang_up(self) -> None:
        self.is_over = True
        if self._socket is not None:
            with suppress(OSError):  # the server was first
                self._socket.shutdown(socket.SHUT_RDWR)

    def _let_go(self) -> None:
        if self._socket is not None:
            self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._let_go()


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
