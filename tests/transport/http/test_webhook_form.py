"""What is no delivery at all: too large, encoded, unsigned, of another version or shape."""

import gzip
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from multidict import CIMultiDict

from protocol.payments import MAX_BODY_BYTES
from tests.transport.http.payment_desk import (
    PROCESSED,
    PaymentDesk,
    body_of_seat,
)
from tests.transport.http.problems import assert_problem

NOT_A_DELIVERY = {
    "nothing": b"",
    "no JSON": b"finalized",
    "half of it": b'{"invoice": "i", "status": "final',
    "null": b"null",
    "a string": b'"finalized"',
    "a number": b"3500",
    "a list": b'[{"invoice": "i", "status": "finalized"}]',
    "UTF-16": '{"invoice": "i", "status": "finalized"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"invoice": "i", "status": "finalized"}',
    "no UTF-8": b'{"invoice": "\xff", "status": "finalized"}',
    "a duplicate key": b'{"invoice": "i", "status": "failed", "status": "finalized"}',
    "a duplicate key, equal": b'{"invoice": "i", "status": "failed", "status": "failed"}',
    "a duplicate key within": b'{"invoice": "i", "status": "failed", "x": {"a": 1, "a": 1}}',
    "NaN": b'{"invoice": "i", "status": "failed", "x": NaN}',
    "Infinity": b'{"invoice": "i", "status": "failed", "x": -Infinity}',
    "an infinite number": b'{"invoice": "i", "status": "failed", "x": 1e999}',
    "half a character": b'{"invoice": "\\ud800", "status": "failed"}',
    "no fields": b"{}",
    "no invoice": b'{"status": "finalized"}',
    "no status": b'{"invoice": "i"}',
    "a null invoice": b'{"invoice": null, "status": "finalized"}',
    "a number as invoice": b'{"invoice": 7, "status": "finalized"}',
    "a list as invoice": b'{"invoice": ["i"], "status": "finalized"}',
    "an unknown status": b'{"invoice": "i", "status": "paid"}',
    "a status in capitals": b'{"invoice": "i", "status": "FINALIZED"}',
    "a status with a space": b'{"invoice": "i", "status": "finalized "}',
    "true as status": b'{"invoice": "i", "status": true}',
}
NOT_A_VALUE: dict[str, list[Any]] = {
    "amount": [3500, 3500.0, True, [], "", "-1", "+3500", "3500.0", "3 500", "0x1", "1e3"],
    "amount in other digits": ["٣٥٠٠", "３５００", "3500\n", " 3500"],
    "decimals": ["0", 0.0, 0.5, False, [0]],
    "recipient": [1, True, ["r"], {}],
    "network": [1, False, ["alien"]],
    "token": [1, ["ALIEN"], {}],
    "txHash": [1, True, ["t"]],
    "test": [0, 1, [], {}],
}


def wrong_values() -> Iterator[tuple[str, Any]]:
    for field, values in NOT_A_VALUE.items():
        yield from ((field.split()[0], value) for value in values)


async def chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 10_000):
        yield body[start : start + 10_000]


async def test_a_body_of_exactly_64_kib_is_taken(desk: PaymentDesk) -> None:
    body = await body_of_seat(desk, MAX_BODY_BYTES)
    assert len(body) == 65_536
    assert (await desk.send(body)).body == PROCESSED


async def test_a_chunked_body_of_exactly_64_kib_is_taken(desk: PaymentDesk) -> None:
    body = await body_of_seat(desk, MAX_BODY_BYTES)
    signature = desk.server.provider.sign(body)
    assert (await desk.send(chunks(body), [signature])).body == PROCESSED


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_of_one_byte_more_is_too_large(desk: PaymentDesk, chunked: bool) -> None:
    body = await body_of_seat(desk, MAX_BODY_BYTES + 1)
    before = await desk.content()
    signature = desk.server.provider.sign(body)
    answer = await desk.send(chunks(body) if chunked else body, [signature])
    assert_problem(answer, "too_large")
    assert await desk.content() == before


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity", ""])
async def test_a_content_encoding_is_unsupported(desk: PaymentDesk, encoding: str) -> None:
    body = await body_of_seat(desk)
    before = await desk.content()
    # Skipped over by aiohttp's client: it would encode the body itself.
    answer = await desk.send(
        chunks(body), [desk.server.provider.sign(body)], {"Content-Encoding": encoding}
    )
    assert_problem(answer, "unsupported_encoding")
    assert await desk.content() == before


async def test_a_body_that_really_is_compressed_is_unsupported(desk: PaymentDesk) -> None:
    body = gzip.compress(await body_of_seat(desk))
    signature = desk.server.provider.sign(body)
    answer = await desk.send(chunks(body), [signature], {"Content-Encoding": "gzip"})
    assert_problem(answer, "unsupported_encoding")


async def test_version_3_is_taken_and_so_is_none(desk: PaymentDesk) -> None:
    for headers in ({"X-Webhook-Version": "3"}, {}):
        payload = desk.failure(await desk.invoice("alice"))
        answer = await desk.send(json.dumps(payload).encode(), headers=headers)
        assert answer.body == PROCESSED


@pytest.mark.parametrize("version", ["", "0", "2", "4", "03", "3.0", "v3", "3,3"])
async def test_any_other_version_is_not_understood(desk: PaymentDesk, version: str) -> None:
    body = await body_of_seat(desk)
    before = await desk.content()
    answer = await desk.send(body, headers={"X-Webhook-Version": version})
    assert_problem(answer, "invalid_message")
    assert await desk.content() == before


async def test_two_versions_are_not_understood(desk: PaymentDesk) -> None:
    body = await body_of_seat(desk)
    versions = CIMultiDict([("X-Webhook-Version", "3"), ("X-Webhook-Version", "4")])
    assert_problem(await desk.send(body, headers=versions), "invalid_message")


async def test_the_signature_is_checked_before_the_version(desk: PaymentDesk) -> None:
    answer = await desk.send(b"{}", [], {"X-Webhook-Version": "4"})
    assert_problem(answer, "unauthorized")


@pytest.mark.parametrize("body", NOT_A_DELIVERY.values(), ids=NOT_A_DELIVERY.keys())
async def test_what_is_no_delivery_is_not_understood(desk: PaymentDesk, body: bytes) -> None:
    invoice = await desk.invoice("alice")
    before = await desk.content()
    answer = await desk.send(body.replace(b'"i"', json.dumps(invoice["invoice_id"]).encode()))
    assert_problem(answer, "invalid_message")
    assert await desk.content() == before


async def test_what_is_not_understood_is_counted(desk: PaymentDesk) -> None:
    await desk.send(b"{}")
    metrics = (await desk.server.get("/metrics")).body.decode()
    assert 'fair_bingo_payment_deliveries_total{outcome="invalid_message"} 1.0' in metrics


async def test_a_value_of_another_type_is_not_understood(desk: PaymentDesk) -> None:
    invoice = await desk.invoice("alice")
    before = await desk.content()
    for field, value in wrong_values():
        body = json.dumps(desk.payment(invoice) | {field: value}).encode()
        answer = await desk.send(body)
        assert answer.status == 400, (field, value, answer)
    assert await desk.content() == before


async def test_a_delivery_nested_beyond_reason_is_not_understood(desk: PaymentDesk) -> None:
    answer = await desk.send(b'{"a":' * 10_000 + b"1" + b"}" * 10_000)
    assert_problem(answer, "invalid_message")


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "nonsense"])
async def test_the_content_type_is_ignored(desk: PaymentDesk, content_type: str) -> None:
    body = await body_of_seat(desk)
    assert (await desk.send(body, headers={"Content-Type": content_type})).body == PROCESSED


async def test_unknown_fields_are_ignored(desk: PaymentDesk) -> None:
    payload = desk.payment(await desk.invoice("alice"), memo={"a": [1, None]}, amountUsd=0.1)
    assert await desk.deliver(payload) == PROCESSED


async def test_fields_that_are_null_count_as_absent(desk: PaymentDesk) -> None:
    nothing = dict.fromkeys(["recipient", "txHash", "decimals", "token", "network", "test"])
    payload = desk.payment(await desk.invoice("alice")) | nothing
    assert await desk.deliver(payload) == PROCESSED


async def test_only_post_is_served(desk: PaymentDesk) -> None:
    answer = await desk.server.get("/api/webhooks/payment")
    assert answer.status == 405
