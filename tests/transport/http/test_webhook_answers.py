"""A delivery is answered past aiohttp's router: as everything else is, whoever asks in what way."""

import asyncio
import json
from typing import Any

import pytest
from yarl import URL

from protocol.payments import SIGNATURE_HEADER
from tests.support.wait import TIMEOUT_SECONDS
from tests.system.game_server import WEBHOOK
from tests.transport.http.payment_desk import NO_INVOICE, PaymentDesk, not_processed

TEST: dict[str, Any] = {"test": True}


async def answer_from(reader: asyncio.StreamReader) -> bytes:
    """The next answer, up to the end of its body."""
    async with asyncio.timeout(TIMEOUT_SECONDS):
        head = await reader.readuntil(b"\r\n\r\n")
        while b"100 Continue" in head:
            head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if b"content-length" in line)
        return head + await reader.readexactly(int(length.partition(b":")[2]))


async def said(desk: PaymentDesk, path: str, version: str, *more: str, body: bytes) -> bytes:
    """The answer to a delivery."""
    url = URL(desk.server.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    lines = [
        f"POST {path} HTTP/{version}",
        "Host: localhost",
        f"{SIGNATURE_HEADER}: {desk.server.provider.sign(body)}",
        f"Content-Length: {len(body)}",
        *more,
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    try:
        return await answer_from(reader)
    finally:
        writer.transport.abort()


def read(answer: bytes) -> tuple[bytes, dict[bytes, bytes], Any]:
    """Status line, headers by their names in lower case but for the date, and the body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    headers = dict(line.split(b": ", 1) for line in lines)
    named = {name.lower(): value for name, value in headers.items()}
    assert len(named) == len(lines)
    assert named.pop(b"date").endswith(b"GMT")
    return status, named, json.loads(body)


@pytest.mark.parametrize("changes", [TEST, {"status": "paid"}, {"status": "failed"}])
@pytest.mark.parametrize(
    ("version", "more"),
    [
        ("1.1", ()),
        ("1.1", ("Connection: close",)),
        ("1.0", ()),
        ("1.0", ("Connection: keep-alive",)),
    ],
)
async def test_an_answer_is_the_same_however_its_path_is_spelled(
    desk: PaymentDesk, version: str, more: tuple[str, ...], changes: dict[str, Any]
) -> None:
    body = json.dumps(desk.payment(NO_INVOICE, **changes)).encode()
    plain = read(await said(desk, WEBHOOK, version, *more, body=body))
    # The router finds those.
    asked = read(await said(desk, f"{WEBHOOK}?a=b", version, *more, body=body))
    expecting = read(await said(desk, WEBHOOK, version, "Expect: 100-continue", *more, body=body))
    assert plain == asked == expecting
    if changes is TEST:
        assert plain[0].endswith(b" 200 OK")
        assert plain[2] == not_processed("test_payment")


async def test_deliveries_on_one_connection_are_answered_in_turn(desk: PaymentDesk) -> None:
    body = json.dumps(desk.payment(NO_INVOICE, **TEST)).encode()
    url = URL(desk.server.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    signed, unsigned = desk.server.provider.sign(body), "0" * 128
    for signature in (signed, unsigned, signed):
        head = f"POST {WEBHOOK} HTTP/1.1\r\nHost: localhost\r\n{SIGNATURE_HEADER}: {signature}\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    try:
        answers = [await answer_from(reader) for _ in range(3)]
    finally:
        writer.transport.abort()
    assert [answer.split()[1] for answer in answers] == [b"200", b"401", b"200"]
