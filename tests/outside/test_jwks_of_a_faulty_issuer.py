"""What becomes of the issuer's keys when it is down, hangs, or publishes a broken document."""

import asyncio
import time

import pytest

from protocol.errors import ErrorCode, Refused
from server.outside.jwks import DOCUMENT_MAX_BYTES, FETCH_SECONDS
from tests.outside.conftest import MakeJwks, knows
from tests.outside.issuer import Ed25519Key, Issuer, RsaKey, as_json
from tests.support.wait import until

UNAUTHORIZED = Refused(ErrorCode.UNAUTHORIZED)
UNAVAILABLE = Refused(ErrorCode.UNAVAILABLE)

BROKEN_DOCUMENTS = {
    "nothing": b"",
    "no JSON": b"<html>",
    "no object": b"[]",
    "no keys": b"{}",
    "keys that are no list": b'{"keys": {}}',
    "an empty list": b'{"keys": []}',
    "duplicate keys": b'{"keys": [], "keys": []}',
    "only broken keys": b'{"keys": [null, {}, {"kid": "x", "kty": "RSA"}]}',
    "too deep": b"[" * 100_000,
    "too large": b'{"keys": []}' + b" " * DOCUMENT_MAX_BYTES,
}


@pytest.mark.parametrize("document", BROKEN_DOCUMENTS.values(), ids=BROKEN_DOCUMENTS.keys())
async def test_a_broken_document_takes_no_known_key_away(
    issuer: Issuer, make_jwks: MakeJwks, rsa_key: RsaKey, document: bytes
) -> None:
    issuer.publish(rsa_key)
    jwks = make_jwks()
    assert await knows(jwks, rsa_key)
    issuer.document = document
    assert await jwks.key("unknown", "RS256") == UNAUTHORIZED
    assert issuer.fetches == 2
    assert await knows(jwks, rsa_key)


async def test_a_document_that_is_only_too_large_is_refused(
    issuer: Issuer, make_jwks: MakeJwks, rsa_key: RsaKey
) -> None:
    issuer.publish(rsa_key)
    issuer.document += b" " * DOCUMENT_MAX_BYTES
    assert await make_jwks().key(rsa_key.kid, rsa_key.alg) == UNAVAILABLE


@pytest.mark.parametrize("status", [204, 302, 404, 500])
async def test_only_a_successful_answer_counts(
    issuer: Issuer, make_jwks: MakeJwks, rsa_key: RsaKey, status: int
) -> None:
    issuer.publish(rsa_key)
    issuer.status = status
    assert await make_jwks().key(rsa_key.kid, rsa_key.alg) == UNAVAILABLE


async def test_broken_entries_take_no_good_key_with_them(
    issuer: Issuer, make_jwks: MakeJwks, rsa_key: RsaKey, ed25519_key: Ed25519Key
) -> None:
    good = [rsa_key.jwk(), ed25519_key.jwk()]
    issuer.document = as_json({"keys": [None, 7, {}, {"kid": "x", "kty": "oct", "k": "AA"}, *good]})
    jwks = make_jwks()
    assert await knows(jwks, rsa_key)
    assert await knows(jwks, ed25519_key)


async def test_known_keys_stay_in_use_and_are_fetched_again_while_the_issuer_is_down(
    issuer: Issuer, make_jwks: MakeJwks, rsa_key: RsaKey
) -> None:
    issuer.publish(rsa_key)
    jwks = make_jwks(ttl_seconds=0.05, cooldown_seconds=0.05)
    assert await knows(jwks, rsa_key)
    issuer.down = True
    seen = issuer.fetches
    await until(lambda: issuer.fetches >= seen + 3)
    assert await knows(jwks, rsa_key)


async def test_a_hanging_issuer_delays_nobody_with_a_known_key(
    issuer: Issuer, make_jwks: MakeJwks, rsa_key: RsaKey
) -> None:
    issuer.publish(rsa_key)
    jwks = make_jwks(ttl_seconds=0.05)
    assert await knows(jwks, rsa_key)
    issuer.answers.clear()
    await until(lambda: issuer.open_now == 1)
    assert await knows(jwks, rsa_key)
    assert issuer.open_now == 1


async def test_a_hanging_issuer_delays_others_for_five_seconds(
    issuer: Issuer, make_jwks: MakeJwks, rsa_key: RsaKey
) -> None:
    issuer.answers.clear()
    jwks = make_jwks(fetch_seconds=FETCH_SECONDS)
    started = time.monotonic()
    assert await jwks.key(rsa_key.kid, rsa_key.alg) == UNAVAILABLE
    assert 4.9 < time.monotonic() - started < 60


async def test_an_answer_that_never_ends_is_given_up_after_five_seconds(
    issuer: Issuer, make_jwks: MakeJwks, rsa_key: RsaKey
) -> None:
    issuer.drips = True
    started = time.monotonic()
    assert await make_jwks(fetch_seconds=FETCH_SECONDS).key(rsa_key.kid, rsa_key.alg) == UNAVAILABLE
    assert 4.9 < time.monotonic() - started < 60


async def test_with_no_key_known_a_fetch_is_tried_at_most_once_a_second(
    issuer: Issuer, make_jwks: MakeJwks, rsa_key: RsaKey
) -> None:
    issuer.down = True
    jwks = make_jwks()
    started = time.monotonic()
    for _ in range(120):
        assert await jwks.key(rsa_key.kid, rsa_key.alg) == UNAVAILABLE
        await asyncio.sleep(0.01)
    assert 2 <= issuer.fetches <= 1 + (time.monotonic() - started)


async def test_an_issuer_that_comes_back_is_found(
    issuer: Issuer, make_jwks: MakeJwks, rsa_key: RsaKey
) -> None:
    issuer.publish(rsa_key)
    issuer.down = True
    jwks = make_jwks()
    assert await jwks.key(rsa_key.kid, rsa_key.alg) == UNAVAILABLE
    issuer.down = False
    await until(lambda: knows(jwks, rsa_key))


async def test_an_issuer_that_nobody_is_at_is_unavailable(
    make_jwks: MakeJwks, unused_tcp_port: int, rsa_key: RsaKey
) -> None:
    jwks = make_jwks(url=f"http://127.0.0.1:{unused_tcp_port}/jwks")
    assert await jwks.key(rsa_key.kid, rsa_key.alg) == UNAVAILABLE
