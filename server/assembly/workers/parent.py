"""The parent as a worker sees it: whom it tells what it counts, and who tells it to leave."""

import asyncio
import socket
from collections.abc import Callable
from typing import Self

from server.assembly.workers.place import MESSAGE_BYTES, line, message
from server.runtime.reports import Report, plain, prometheus_text, read_report

ANSWER_SECONDS = 5.0


class Parent:
    """The channel to the parent. `report` gives the metrics of this process. `leaving` is set when
    another one serves in its place, `gone` when the parent has ended."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.report: Callable[[], Report] = tuple
        self.leaving = asyncio.Event()
        self.gone = asyncio.Event()
        self._reader = reader
        self._writer = writer
        self._answers: list[asyncio.Future[bytes]] = []
        self._total = b""
        self._text = b""
        self._hearing = asyncio.create_task(self._hear())

    @classmethod
    async def connect(cls, channel: int) -> Self:
        """The parent at the other end of this socket."""
        its = socket.socket(fileno=channel)
        return cls(*await asyncio.open_connection(sock=its, limit=MESSAGE_BYTES))

    def ready(self) -> None:
        """Say that this process serves."""
        self._send("ready")

    async def failed(self, said: str) -> None:
        """Say why it cannot."""
        self._send("failed", said)
        await self.close()

    async def close(self) -> None:
        """Say for the last time what was counted."""
        self._tell()
        self._hearing.cancel()
        self._writer.close()
        await self._writer.wait_closed()

    async def metrics(self) -> bytes:
        """The metrics of all workers, as Prometheus's text. Raises TimeoutError if the parent does
        not answer."""
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._answers.append(answer)
        if len(self._answers) == 1:
            self._send("ask")
        async with asyncio.timeout(ANSWER_SECONDS):
            return await answer

    async def _hear(self) -> None:
        try:
            while told := await self._reader.readline():
                match message(told):
                    case {"report": _}:
                        self._tell()
                    case {"total": report}:
                        self._answer(told, read_report(report))
                    case {"leave": _}:
                        self.leaving.set()
        finally:
            self.gone.set()

    def _answer(self, told: bytes, total: Report) -> None:
        if told != self._total:
            self._total, self._text = told, prometheus_text(total)
        answers, self._answers = self._answers, []
        for answer in answers:
            if not answer.done():  # it may have been given up
                answer.set_result(self._text)

    def _tell(self) -> None:
        self._send("report", plain(self.report()))

    def _send(self, kind: str, content: object = None) -> None:
        self._writer.write(line({kind: content}))
