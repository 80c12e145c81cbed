"""What goes over a connection to a store: a batch of commands out, its answers in; or what comes
unasked.

redis-py makes the connection (addresses, TLS, names, passwords). Its way of reading takes a step of
a task and six coroutines for each answer, most of what a small command costs; here the answers of a
batch wake up one future, and a message that was published reaches who listens as it comes in. What
this needs of redis-py (`_reader`, `_writer` and `_parser` of a connection) is in
tests/store/test_wire.py.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import hiredis
from redis import exceptions

_NOTHING: Final = object()

Then = Callable[[list[Any] | Exception], None]


class Wire(asyncio.Protocol):
    """Takes over a `connection` of redis-py that was made and has been asked nothing since. One
    batch at a time: no task waits for it, since to wake one would cost as much as all else."""

    def __init__(self, connection: Any) -> None:
        self._transport = connection._writer.transport
        self._is_dirty = _has_more(connection)
        self._replies = _reader(connection)
        self._answers: list[Any] = []
        self._expected = 0
        self._then: Then | None = None  # while a batch is under way
        self._transport.set_protocol(self)

    @property
    def is_usable(self) -> bool:
        """Whether another batch may be sent: the connection is open, and nothing came unasked."""
        return not (self._is_dirty or self._transport.is_closing())

    def exchange(self, packed: bytes, answers: int, then: Then) -> None:
        """Send what will have so many answers. `then` is called with them, of which some may be
        errors of redis-py, or with why they do not come: with its ConnectionError, and at once, if
        the connection has ended."""
        if not self.is_usable:  # nothing would come, or what belongs to something else
            then(exceptions.ConnectionError("the connection is of no use"))
            return
        self._answers, self._expected, self._then = [], answers, then
        try:
            self._transport.write(packed)
        except RuntimeError as error:  # of uvloop, if the transport has ended at this moment
            self.give_up(error)

    async def answers_to(self, packed: bytes, answers: int) -> list[Any]:
        """The same, for one who waits."""
        waiting: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()

        def settle(found: list[Any] | Exception) -> None:
            if waiting.done():
                return
            if isinstance(found, Exception):
                waiting.set_exception(found)
            else:
                waiting.set_result(found)

        self.exchange(packed, answers, settle)
        return await waiting

    def give_up(self, error: Exception) -> None:
        """Wait no longer for the answers of the batch that is under way: it fails with this
        error. The connection is of no use then."""
        self._is_dirty = True
        then, self._then = self._then, None
        if then is not None:
            then(error)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        if self._then is None:  # whoever gives a batch up gives the connection up
            self._is_dirty = True
            return
        self._replies.feed(data)
        try:
            while (answer := self._replies.gets()) is not _NOTHING:
                self._answers.append(answer)
        except exceptions.RedisError as error:
            self.give_up(error)
            return
        if len(self._answers) < self._expected:
            return
        self._is_dirty = len(self._answers) > self._expected or self._replies.has_data()
        then, self._then = self._then, None
        then(self._answers)

    def eof_received(self) -> None:
        """See `asyncio.Protocol`."""
        self.give_up(exceptions.ConnectionError("the other end hung up"))

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self.give_up(exceptions.ConnectionError(f"the connection ended: {exc!r}"))


class Inbox(asyncio.Protocol):
    """Takes over a `connection` likewise, for what comes unasked, and calls `on_reply` with each
    reply, which may be an error of redis-py. `ended` raises why it is of no use any more."""

    def __init__(self, connection: Any, on_reply: Callable[[Any], None]) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport = connection._writer.transport
        self._on_reply = on_reply
        self._replies = _reader(connection)
        if _has_more(connection):
            self.end(exceptions.ConnectionError("more came than was asked for"))
        self._transport.set_protocol(self)

    def send(self, *command: str) -> None:
        """Send one command. Raises redis-py's ConnectionError if the connection has ended."""
        if self.ended.done() or self._transport.is_closing():
            raise exceptions.ConnectionError("the connection is of no use")
        self._transport.write(hiredis.pack_command(command))  # type: ignore[arg-type]

    def end(self, error: Exception) -> None:
        """Take nothing more."""
        if not self.ended.done():
            self.ended.set_exception(error)
            self.ended.exception()  # whoever waits hears of it, and perhaps nobody does

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._replies.feed(data)
        try:
            while not self.ended.done() and (reply := self._replies.gets()) is not _NOTHING:
                self._on_reply(reply)
        except exceptions.RedisError as error:
            self.end(error)

    def eof_received(self) -> None:
        """See `asyncio.Protocol`."""
        self.end(exceptions.ConnectionError("the other end hung up"))

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self.end(exceptions.ConnectionError(f"the connection ended: {exc!r}"))


def _has_more(connection: Any) -> bool:
    """Whether something came that nobody asked for, if only the end: nothing that comes later can
    be relied on then."""
    return bool(connection._reader.at_eof() or connection._reader._buffer)


def _reader(connection: Any) -> hiredis.Reader:
    return hiredis.Reader(
        protocolError=exceptions.InvalidResponse,
        replyError=connection._parser.parse_error,
        encoding="utf-8",
        errors="backslashreplace",  # of what others wrote, so that it stops nobody who reads it
        notEnoughData=_NOTHING,
    )
