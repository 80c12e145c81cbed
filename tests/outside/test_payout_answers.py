"""Whatever a payment service answers is taken for something, and never ends the worker."""

import asyncio

import pytest

from server.outside.payout_service import PayoutService, understood
from server.rules.payouts import Pending


@pytest.mark.parametrize(
    "date",
    [
        "Mon, 01 Jan 2024 00:00:00 +99999999999999999999",
        "Mon, 01 Jan 2024 00:00:00 +9999",
        "Mon, 01 Jan 99999 00:00:00 GMT",
        "tomorrow",
    ],
)
def test_a_retry_after_that_names_no_time_there_is_is_none(date: str) -> None:
    assert understood("look", "po_1", 202, {"Retry-After": date}, b"") == Pending(None)


async def test_a_cookie_that_cannot_be_sent_back_keeps_no_later_request() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 202 OK\r\nSet-Cookie: a=\xff\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        service = PayoutService(f"http://127.0.0.1:{port}", bytes(32), 60, connections=1)
        for _ in range(2):
            assert await service.look("po_1") == Pending(None)
        await service.close()
