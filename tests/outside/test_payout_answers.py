"""Whatever a payment service answers is taken for something, and never ends the worker."""

import asyncio

import pytest

from server.outside.payout_service import PayoutService, understood
from server.rules.payouts import NeverArrived, Paid, Pending, Unclear
from tests.support.wait import until


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


def answer_of(reference: str) -> bytes:
    """The whole answer that says so."""
    body = b'{"status": "sent", "reference": "%s"}' % reference.encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


@pytest.mark.parametrize("when", ["with the first", "before the next question"])
async def test_a_second_answer_to_one_question_is_not_taken_for_that_to_the_next(when: str) -> None:
    opened: list[asyncio.StreamWriter] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(writer)
        asked = 0
        while await reader.readuntil(b"\r\n\r\n"):
            asked += 1
            writer.write(answer_of("first") if asked == 1 and len(opened) == 1 else b"")
            if asked == 1 and len(opened) == 1 and when == "with the first":
                writer.write(answer_of("again"))
            if len(opened) == 2:
                writer.write(answer_of("second"))

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        service = PayoutService(f"http://127.0.0.1:{port}", bytes(32), 60, connections=1)
        assert await service.look("po_1") == Paid("first")
        if when != "with the first":
            opened[0].write(answer_of("again"))
            await opened[0].drain()
        assert await service.look("po_2") == Paid("second")
        await service.close()
        for writer in opened:
            writer.close()


@pytest.mark.parametrize(
    "bytes_",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + b" " * 1_000_000,
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"",
    ],
)
async def test_what_is_no_whole_answer_is_none_and_the_next_question_is_answered(
    bytes_: bytes,
) -> None:
    asked = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.readuntil(b"\r\n\r\n")
        first = asked == 1
        writer.write(bytes_ if first else b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        service = PayoutService(f"http://127.0.0.1:{port}", bytes(32), 60, connections=1)
        assert isinstance(await service.send("po_1", "{}"), Unclear)
        assert await service.look("po_1") == NeverArrived()
        await service.close()


async def test_a_look_up_goes_below_the_address_and_keeps_its_query_and_password() -> None:
    request = bytearray()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request.extend(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        url = f"http://me:pass@127.0.0.1:{port}/a%2Fb/?of=us%20all"
        service = PayoutService(url, bytes(32), 60, connections=1)
        await service.look("po_3500-2_1-0")
        await until(lambda: b"\r\n\r\n" in request)
        await service.close()
    assert request.startswith(b"GET /a%2Fb/po_3500-2_1-0?of=us%20all HTTP/1.1\r\n")
    assert b"Authorization: Basic bWU6cGFzcw==" in request
