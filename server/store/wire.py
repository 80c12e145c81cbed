"""What goes over a connection to a store: a batch of commands out, its answers in.

redis-py makes the connection (addresses, TLS, names, passwords). Its way of reading takes a step of
a task and six coroutines for each answer, most of what a small command costs; here the answers of a
batch wake up one future. What this needs of redis-py (`_reader`, `_writer` and `_parser` of a
connection) is in tests/store/test_connection.py.
"""

import asyncio
from typing import Any, Final

import hiredis
from redis import exceptions

_NOTHING: Final = object()


class Wire(asyncio.Protocol):
    """Takes over a `connection` of redis-py that was made and has been asked nothing since. One
    batch at a time."""

    def __init__(self, connection: Any) -> None:
        self._transport = connection._writer.transport
        # What came unasked until now, if only the end: nothing that comes later can be relied on.
        self._is_dirty = bool(connection._reader.at_eof() or connection._reader._buffer)
        self._replies = hiredis.Reader(
            protocolError=exceptions.InvalidResponse,
            replyError=connection._parser.parse_error,
            encoding="utf-8",
            errors="strict",
            notEnoughData=_NOTHING,
        )
        self._answers: list[Any] = []
        self._expected = 0
        self._batch: asyncio.Future[list[Any]] | None = None
        self._transport.set_protocol(self)

    @property
    def is_usable(self) -> bool:
        """Whether another batch may be sent: the connection is open, and nothing came unasked."""
        return not (self._is_dirty or self._transport.is_closing())

    def exchange(self, packed: bytes, answers: int) -> "asyncio.Future[list[Any]]":
        """Send what will have so many answers. They may be errors of redis-py; a connection that
        ends, or has ended, raises its ConnectionError."""
        batch: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        if not self.is_usable:  # nothing would come, or what belongs to something else
            batch.set_exception(exceptions.ConnectionError("the connection is of no use"))
            return batch
        self._answers, self._expected, self._batch = [], answers, batch
        self._transport.write(packed)
        return batch

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        batch = self._batch
        if batch is None or batch.done():  # whoever gives a batch up gives the connection up
            self._is_dirty = True
            return
        self._replies.feed(data)
        try:
            while (answer := self._replies.gets()) is not _NOTHING:
                self._answers.append(answer)
        except (exceptions.RedisError, UnicodeDecodeError) as error:
            self._fail(batch, error)
            return
        if len(self._answers) < self._expected:
            return
        self._is_dirty = len(self._answers) > self._expected or self._replies.has_data()
        self._batch = None
        batch.set_result(self._answers)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._is_dirty = True
        if self._batch is not None and not self._batch.done():
            self._fail(self._batch, exceptions.ConnectionError(f"the connection ended: {exc!r}"))

    def _fail(self, batch: "asyncio.Future[list[Any]]", error: Exception) -> None:
        self._is_dirty, self._batch = True, None
        batch.set_exception(error)
