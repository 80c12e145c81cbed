"""A worker as its parent sees it: a process with a channel to it."""

import asyncio
import os
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from signal import SIGKILL, SIGTERM
from typing import Final

import structlog

from server.assembly.workers.handover import MESSAGE_BYTES, Handover, line, message
from server.runtime.die_with_parent import die_with_parent
from server.runtime.reports import Report, plain, read_report

PROGRAM: Final = ("-P", "-m", "server.cli.worker")
"""Not started by `fork`: so it runs the version that is installed now."""

log = structlog.get_logger(__name__)


class Worker:
    """Worker `number`. `settled` is set when it is `ready` or has ended, `ended` when it has.
    `report`: its metrics when it reported them last. `failure`: why it could not start, as a line
    for the operator. `received` counts its messages; `hung` is for whoever ends it for want of any.
    """

    def __init__(
        self,
        number: int,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.number = number
        self.pid = process.pid
        self.ready = False
        self.settled = asyncio.Event()
        self.ended = asyncio.Event()
        self.exit_code: int | None = None
        self.failure: str | None = None
        self.report: Report = ()
        self.received = 0
        self.hung = False
        self._asked = asyncio.Event()
        self._unanswered = 0
        self._reported = asyncio.Event()
        self._process = process
        self._reader = reader
        self._writer = writer
        self._started_s = time.monotonic()

    @classmethod
    async def start(
        cls,
        number: int,
        public: Sequence[socket.socket],
        metrics: Sequence[socket.socket],
        program: Sequence[str] = PROGRAM,
    ) -> "Worker":
        """Start a worker on these sockets, which stay open here: Python with the `program`. Raises
        OSError if the machine has no room for another process."""
        ours, its = socket.socketpair()
        try:
            handover = Handover(number, its.fileno(), _descriptors(public), _descriptors(metrics))
            command = die_with_parent([sys.executable, *program, *handover.arguments()])
            process = await asyncio.create_subprocess_exec(*command, pass_fds=handover.descriptors)
        except OSError:
            ours.close()
            raise
        finally:
            its.close()
        reader, writer = await asyncio.open_connection(sock=ours, limit=MESSAGE_BYTES)
        return cls(number, process, reader, writer)

    @property
    def age_seconds(self) -> float:
        """Since it was started."""
        return time.monotonic() - self._started_s

    async def run(self) -> int:
        """Receive its messages until it has ended. Returns its exit code, or minus the signal that
        ended it. It is killed if what it sends is no message."""
        try:
            while received := await self._line():
                self._take(received)
        except (ValueError, asyncio.LimitOverrunError) as error:
            why = str(error).partition("\n")[0]
            log.error("worker_not_understood", worker=self.number, pid=self.pid, error=why)
            self.kill()
        self.exit_code = await self._process.wait()
        self._writer.close()
        for event in (self.settled, self.ended, self._asked, self._reported):
            event.set()
        return self.exit_code

    def terminate(self) -> None:
        """Let it drain and end."""
        self._signal(SIGTERM)

    def kill(self) -> None:
        """End it as it is."""
        self._signal(SIGKILL)

    def leave(self) -> None:
        """Let it go, refusing nobody: its successor has begun."""
        self._send("leave")

    def ask(self) -> None:
        """Ask it for its report."""
        if self.exit_code is None:
            self._unanswered += 1
            self._reported.clear()
            self._send("report")

    async def refresh_report(self) -> None:
        """Have it report once more. Returns when it has, or has ended."""
        self.ask()
        await self._reported.wait()

    async def asks(self) -> bool:
        """Return when it asks for the metrics of all: true; or has ended: false."""
        await self._asked.wait()
        self._asked.clear()
        return self.exit_code is None

    def answer(self, total: Report) -> None:
        """Send it the metrics of all, which it has asked for."""
        self._send("total", plain(total))

    def _signal(self, number: int) -> None:
        # Not by `send_signal`: before Python 3.13 it takes the exit code of a process that has just
        # ended, and whoever waits for that gets 255 (CPython's gh-87744).
        if self._process.returncode is None:
            with suppress(ProcessLookupError):  # it has ended already
                os.kill(self.pid, number)

    def _send(self, kind: str, content: object = None) -> None:
        if not self._writer.is_closing():  # it is ending
            self._writer.write(line({kind: content}))

    async def _line(self) -> bytes:
        try:
            return await self._reader.readuntil()
        except (ConnectionError, asyncio.IncompleteReadError):  # it has ended
            return b""

    def _take(self, received: bytes) -> None:
        self.received += 1
        match message(received):
            case {"ready": _}:
                log.info("worker_ready", worker=self.number, pid=self.pid)
                self.ready = True
                self.settled.set()
            case {"failed": str(reason)}:
                self.failure = reason
            case {"report": report}:
                self.report = read_report(report)
                self._unanswered = max(0, self._unanswered - 1)  # its last report is sent unasked
                if not self._unanswered:
                    self._reported.set()
            case {"ask": _}:
                self._asked.set()


def _descriptors(sockets: Sequence[socket.socket]) -> list[int]:
    return [each.fileno() for each in sockets]
