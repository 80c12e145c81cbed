"""The parent as a worker sees it: it collects the metrics, and asks the worker to leave."""

import asyncio
import socket
from collections.abc import Callable
from typing import Final, Self

from server.assembly.workers.handover import MESSAGE_BYTES, line, message
from server.runtime.reports import Report, plain, prometheus_text, read_report

ANSWER_SECONDS: Final = 5.0


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
        self._receiving = asyncio.create_task(self._receive())

    @classmethod
    async def connect(cls, channel: int) -> Self:
        """The parent at the other end of this socket."""
        its = socket.socket(fileno=channel)
        return cls(*await asyncio.open_connection(sock=its, limit=MESSAGE_BYTES))

    def ready(self) -> None:
        """Report that this process serves."""
        self._send("ready")

    async def failed(self, reason: str) -> None:
        """Report why it cannot, and close."""
        self._send("failed", reason)
        await self.close()

    async def close(self) -> None:
        """Report the metrics for the last time, and close the channel."""
        self._report()
        self._receiving.cancel()
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

    async def _receive(self) -> None:
        try:
            while received := await self._reader.readline():
                match message(received):
                    case {"report": _}:
                        self._report()
                    case {"total": report}:
                        self._answer(received, read_report(report))
                    case {"leave": _}:
                        self.leaving.set()
        finally:
            self.gone.set()

    def _answer(self, received: bytes, total: Report) -> None:
        if received != self._total:
            self._total, self._text = received, prometheus_text(total)
        answers, self._answers = self._answers, []
        for answer in answers:
            if not answer.done():  # whoever waited for it may have given up
                answer.set_result(self._text)

    def _report(self) -> None:
        self._send("report", plain(self.report()))

    def _send(self, kind: str, content: object = None) -> None:
        self._writer.write(line({kind: content}))
