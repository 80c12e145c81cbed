"""Deliveries that nobody signed, or not so."""

import json

import pytest

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.transport.http.payment_desk import (
    PROCESSED,
    PaymentDesk,
    body_of_seat,
    open_desk,
)
from tests.transport.http.problems import assert_problem


def malformed(good: str) -> dict[str, list[str]]:
    return {
        "missing": [],
        "empty": [""],
        "of odd length": [good[:-1]],
        "one byte short": [good[:-2]],
        "one byte longer": [good + "00"],
        "not hex": ["g" * 128],
        "with a prefix": ["0x" + good],
        "with spaces in place of digits": [good[:-3] + "   "],
        "in other digits": [good[:-1] + "\N{FULLWIDTH DIGIT ONE}"],
        "one bit off": [f"{int(good, 16) ^ 1:0128x}"],
        "there twice": [good, good],
        "there with a wrong one before": ["0" * 128, good],
        "there with a wrong one after": [good, "0" * 128],
        "twice in one header": [f"{good}, {good}"],
    }


@pytest.mark.parametrize("kind", malformed("00" * 64))
async def test_a_signature_that_is_not_one_is_unauthorized(desk: PaymentDesk, kind: str) -> None:
    body = await body_of_seat(desk)
    before = await desk.content()
    answer = await desk.send(body, malformed(desk.server.provider.sign(body))[kind])
    assert_problem(answer, "unauthorized")
    assert await desk.content() == before


async def test_the_signature_of_another_key_is_unauthorized(desk: PaymentDesk) -> None:
    body = await body_of_seat(desk)
    before = await desk.content()
    assert_problem(await desk.send(body, [DevProvider().sign(body)]), "unauthorized")
    assert await desk.content() == before


@pytest.mark.parametrize("separators", [(",", ":"), (", ", " : ")])
async def test_a_signature_over_the_same_facts_in_other_bytes_is_unauthorized(
    desk: PaymentDesk, separators: tuple[str, str]
) -> None:
    body = await body_of_seat(desk)
    again = json.dumps(json.loads(body), separators=separators).encode()
    assert again != body
    answer = await desk.send(again, [desk.server.provider.sign(body)])
    assert_problem(answer, "unauthorized")


async def test_a_byte_after_the_signed_body_is_unauthorized(desk: PaymentDesk) -> None:
    body = await body_of_seat(desk)
    answer = await desk.send(body + b"\n", [desk.server.provider.sign(body)])
    assert_problem(answer, "unauthorized")


async def test_a_body_that_begins_with_the_end_of_its_signature_is_unauthorized(
    desk: PaymentDesk,
) -> None:
    body = await body_of_seat(desk)
    while (signed := desk.server.provider.sign(body))[-2:] not in ("09", "0a", "0d"):
        body += b" "
    before = await desk.content()
    # 128 letters and no more than 63 bytes; the last one is white space, and this is JSON again.
    answer = await desk.send(bytes.fromhex(signed[-2:]) + body, [f"{signed[:2]}  {signed[2:-2]}"])
    assert_problem(answer, "unauthorized")
    assert await desk.content() == before


async def test_a_signature_in_upper_case_is_taken(desk: PaymentDesk) -> None:
    body = await body_of_seat(desk)
    answer = await desk.send(body, [desk.server.provider.sign(body).upper()])
    assert answer.body == PROCESSED


async def test_while_keys_rotate_both_are_taken_and_no_third(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    old, third = DevProvider(), DevProvider()
    keys = f"{old.public_key_hex}, {provider.public_key_hex}"
    async with open_desk(store_url, issuer, provider, WEBHOOK_PUBLIC_KEY=keys) as desk:
        of_alice = json.dumps(desk.payment(await desk.invoice("alice"))).encode()
        of_bob = json.dumps(desk.payment(await desk.invoice("bob"))).encode()
        assert_problem(await desk.send(of_alice, [third.sign(of_alice)]), "unauthorized")
        assert (await desk.send(of_alice, [old.sign(of_alice)])).body == PROCESSED
        assert (await desk.send(of_bob)).body == PROCESSED
