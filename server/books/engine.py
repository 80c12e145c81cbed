"""Connections to the books."""

import asyncio
import os
import select
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, Self

import orjson
import psycopg
from sqlalchemy import exc
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from server.books.errors import BooksUnavailable
from server.books.patience import PATIENCE_OF_WORK_SECONDS, PATIENCE_SECONDS

LONG_READING_SECONDS: Final = 3600.0
WRITING_SECONDS: Final = 60.0
_LOST: Final = (
    exc.OperationalError,
    exc.InterfaceError,
    exc.InternalError,  # among others: the server has become a replica, which takes no writes
    exc.TimeoutError,
    psycopg.OperationalError,
    TimeoutError,
)
_USED: Final = "used"

BooksConnection = AsyncConnection
"""A connection to the books, for those who hand it on."""


class Books:
    """The books of one process: a pool of connections, made when they are needed. Whoever uses one
    waits `patience_seconds` for it, and has it for so many seconds at most, also if the server
    hangs: to read for as long again, if they say nothing else."""

    def __init__(
        self, url: str, *, connections: int = 5, patience_seconds: int = PATIENCE_SECONDS
    ) -> None:
        self._patience_seconds = patience_seconds
        named = make_url(url).set(drivername="postgresql+psycopg")
        # Times are UTC, whatever the zone of this machine or of the server is. And a process that
        # is suspended in a transaction does not keep its rows locked for ever.
        ours = "-c timezone=UTC -c idle_in_transaction_session_timeout=30s"
        options = named.query.get("options", "")
        self.engine: AsyncEngine = create_async_engine(
            named,
            pool_size=connections,
            max_overflow=0,
            json_deserializer=orjson.loads,
            connect_args={
                "connect_timeout": patience_seconds,
                "application_name": "fair-bingo",
                "client_encoding": "utf8",
                "options": " ".join(
                    [options, ours] if isinstance(options, str) else [*options, ours]
                ),
            },
        )
        # The same pool. Whoever reads is spared two round trips, to begin and to end.
        self._by_statement = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._of_one_instant = self.engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    @asynccontextmanager
    async def connect(self, seconds: float | None = None) -> AsyncIterator[BooksConnection]:
        """A connection to read with, each statement by itself. Raises BooksUnavailable, also for
        what fails on it."""
        seconds = self._patience_seconds if seconds is None else seconds
        async with self._connected(self._by_statement, seconds) as connection:
            yield connection

    @asynccontextmanager
    async def begin(self, seconds: float = WRITING_SECONDS) -> AsyncIterator[BooksConnection]:
        """A transaction, committed when the block ends without an error. Raises BooksUnavailable,
        also for what fails on it: then it is not known whether it was committed."""
        async with self._connected(self.engine, seconds) as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def snapshot(self, name: str | None = None) -> AsyncIterator[BooksConnection]:
        """A connection to read with that sees the books of one instant, however long it reads: now,
        or that of another connection, by the name that this gave it (`snapshot_name`). Raises
        BooksUnavailable, also for what fails on it."""
        async with self._connected(self._of_one_instant, LONG_READING_SECONDS) as connection:
            if name is not None:
                await connection.exec_driver_sql(f"SET TRANSACTION SNAPSHOT '{name}'")
            await keep_while_idle(connection)  # it locks nothing that others need
            yield connection

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()

    @asynccontextmanager
    async def _connected(
        self, engine: AsyncEngine, seconds: float
    ) -> AsyncIterator[BooksConnection]:
        try:
            with _Deadline(seconds) as deadline:
                connection = await self._working_connection(engine, deadline)
                try:
                    yield connection
                finally:
                    await connection.close()
        except _LOST as error:
            raise BooksUnavailable(first_line(error)) from error

    async def _working_connection(
        self, engine: AsyncEngine, deadline: "_Deadline"
    ) -> BooksConnection:
        """A connection of the pool, but none that has ended since its last use: the server may have
        been away. Seen by what it sent unasked: so nobody waits for an answer."""
        while not deadline.is_over:
            async with asyncio.timeout(self._patience_seconds):
                connection = await engine.connect()
            driver: Any = (await connection.get_raw_connection()).driver_connection
            was_used = _USED in connection.info
            if not driver.closed and not (was_used and _has_unread(driver.fileno())):
                connection.info[_USED] = True
                deadline.hold(driver.fileno())
                return connection
            await connection.invalidate()
            await connection.close()
        raise TimeoutError("no connection to the books lasts")


def _has_unread(descriptor: int) -> bool:
    unread = select.poll()
    unread.register(descriptor, select.POLLIN)
    return bool(unread.poll(0))


class _Deadline:
    """When the time is up, the connection that it holds is shut down: whoever waits on it gets an
    error. To cancel them would not do, since the driver waits for the server even then."""

    def __init__(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._shut_down)
        self._socket: socket.socket | None = None
        self.is_over = False

    def hold(self, descriptor: int) -> None:
        """Shut down this socket, instead of an earlier one."""
        self._let_go()
        self._socket = socket.socket(fileno=os.dup(descriptor))
        if self.is_over:
            self._shut_down()

    def _shut_down(self) -> None:
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


async def keep_while_idle(connection: BooksConnection) -> None:
    """Let a connection's transaction go on, however long the server is not asked."""
    await connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")


async def snapshot_name(connection: BooksConnection) -> str:
    """What names the instant that a connection sees, for as long as its transaction lasts."""
    return str((await connection.exec_driver_sql("SELECT pg_export_snapshot()")).scalar_one())


@asynccontextmanager
async def open_books(
    url: str, patience_seconds: int = PATIENCE_OF_WORK_SECONDS
) -> AsyncIterator[Books]:
    """The books at `url` for one piece of work."""
    books = Books(url, patience_seconds=patience_seconds)
    try:
        yield books
    finally:
        await books.close()


def first_line(error: BaseException) -> str:
    """The first line of an error: what follows may quote a statement and its values."""
    cause = getattr(error, "orig", None) or error
    return (str(cause).splitlines() or [type(cause).__name__])[0]
