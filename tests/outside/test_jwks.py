"""When the issuer's keys are fetched, and what becomes of them when it misbehaves."""

import asyncio
import time
from collections.abc import Callable

import pytest

from protocol.errors import ErrorCode, Refused
from server.outside.jwks import DOCUMENT_MAX_BYTES, FETCH_SECONDS, Jwks
from tests.outside.conftest import MakeJwks
from tests.outside.issuer import Ed25519Key, Issuer, RsaKey, SigningKey, as_json

UNAUTHORIZED = Refused(ErrorCode.UNAUTHORIZED)
UNAVAILABLE = Refused(ErrorCode.UNAVAILABLE)


async def knows(jwks: Jwks, key: SigningKey) -> bool:
    return not isinstance(await jwks.key(key.kid, key.alg), Refused)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what is waited for happens elsewhere
            await asyncio.sleep(0.01)


async def until_known(jwks: Jwks, key: SigningKey) -> None:
    async with asyncio.timeout(30):
        while not await knows(jwks, key):  # noqa: ASYNC110 - asking is what brings it about
            await asyncio.sleep(0.01)


async def test_keys_are_fetched_once_for_everyone(
    issuer: Issuer, make_jwks: MakeJwks, rsa_key: RsaKey, ed25519_key: Ed25519Key
) -> None:
    issuer.publish(rsa_key, ed25519_key)
    jwks = make_jwks()
    asked = [knows(jwks, key) for key in (rsa_key, ed25519_key) * 50]
    assert all(await asyncio.gather(*asked))
    assert issuer.fetches == 1


async def test_a_hundred_unknown_kids_cause_one_fetch_beside_the_regular_one(
    issuer: Issuer, make_jwks: MakeJwks, rsa_key: RsaKey
) -> None:
    issuer.publish(rsa_key)
    jwks = make_jwks()
    for batch in range(10):
        asked = [jwks.key(f"unknown-{batch}-{n}", "RS256") for n in range(10)]
        assert await asyncio.gather(*asked) == [UNAUTHORIZED] * 10
        await asyncio.sleep(0.15)  # in all longer than the second that counts without any key
    assert issuer.fetches == 2


async def test_an_algorithm_that_the_key_is_not_for_causes_no_fetch(
    issuer: Issuer, make_jwks: MakeJwks, rsa_key: RsaKey
) -> None:
    issuer.publish(rsa_key)
    jwks = make_jwks()
    await knows(jwks, rsa_key)
    assert await jwks.key(rsa_key.kid, "EdDSA") == UNAUTHORIZED
    assert issuer.fetches == 1


async def test_a_new_key_is_found_by_its_first_token_without_waiting_for_a_cooldown(
    issuer: Issuer, make_jwks: MakeJwks, rsa_key: RsaKey, ed25519_key: Ed25519Key
) -> None:
    issuer.publish(rsa_key)
    jwks = make_jwks()
    await knows(jwks, rsa_key)
    issuer.publish(rsa_key, ed25519_key)
    assert await knows(jwks, ed25519_key)


async def test_an_unknown_kid_causes_a_fetch_again_after_the_cooldown(
    issuer: Issuer, make_jwks: MakeJwks, rsa_key: RsaKey, ed25519_key: Ed25519Key
) -> None:
    issuer.publish(rsa_key)
    jwks = make_jwks(cooldown_seconds=0.05)
    await knows(jwks, rsa_key)
    await jwks.key("unknown", "RS256")
    issuer.publish(rsa_key, ed25519_key)
    await until_known(jwks, ed25519_key)


async def test_whoever_waits_for_the_regular_fetch_starts_no_cooldown(
    issuer: Issuer, make_jwks: MakeJwks, rsa_key: RsaKey, ed25519_key: Ed25519Key
) -> None:
    issuer.publish(rsa_key)
    jwks = make_jwks(ttl_seconds=1)
    await knows(jwks, rsa_key)
    issuer.answers.clear()
    await until(lambda: issuer.open_now == 1)
    asking = asyncio.create_task(jwks.key("unknown", "RS256"))
    await asyncio.sleep(0)
    issuer.answers.set()
    assert await asking == UNAUTHORIZED
    issuer.publish(rsa_key, ed25519_key)
    assert await knows(jwks, ed25519_key)


async def test_there_is_never_more_than_one_fetch_at_a_time(
    issuer: Issuer, make_jwks: MakeJwks, rsa_key: RsaKey
) -> None:
    issuer.publish(rsa_key)
    jwks = make_jwks(ttl_seconds=0.01, cooldown_seconds=0.01)
    for n in range(20):
        await asyncio.gather(*(jwks.key(f"unknown-{n}-{m}", "RS256") for m in range(10)))
        await asyncio.sleep(0.01)
    assert issuer.fetches > 2
    assert issuer.most_at_once == 1


async def test_the_regular_fetch_does_not_start_beside_another(
    issuer: Issuer, make_jwks: MakeJwks, rsa_key: RsaKey
) -> None:
    issuer.publish(rsa_key)
    jwks = make_jwks(ttl_seconds=0.5)
    await knows(jwks, rsa_key)
    issuer.answers.clear()
    asking = asyncio.create_task(jwks.key("unknown", "RS256"))
    await asyncio.sleep(1)
    issuer.answers.set()
    await asking
    assert issuer.most_at_once == 1


async def test_a_key_that_the_issuer_withdraws_is_gone_after_its_time_though_nobody_asks(
    issuer: Issuer, make_jwks: MakeJwks, rsa_key: RsaKey, ed25519_key: Ed25519Key
) -> None:
    issuer.publish(rsa_key, ed25519_key)
    jwks = make_jwks(ttl_seconds=0.05)
    assert await knows(jwks, rsa_key)
    issuer.publish(ed25519_key)
    seen = issuer.fetches
    await until(lambda: issuer.fetches >= seen + 2)
    assert await jwks.key(rsa_key.kid, rsa_key.alg) == UNAUTHORIZED
    assert await knows(jwks, ed25519_key)


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
    await until_known(jwks, rsa_key)


async def test_an_issuer_that_nobody_is_at_is_unavailable(
    make_jwks: MakeJwks, unused_tcp_port: int, rsa_key: RsaKey
) -> None:
    jwks = make_jwks(url=f"http://127.0.0.1:{unused_tcp_port}/jwks")
    assert await jwks.key(rsa_key.kid, rsa_key.alg) == UNAVAILABLE


async def test_closing_ends_a_fetch_under_way_and_whoever_waits_for_it(
    issuer: Issuer, make_jwks: MakeJwks, rsa_key: RsaKey
) -> None:
    issuer.answers.clear()
    jwks = make_jwks(fetch_seconds=100)  # which nobody waits for
    asking = asyncio.create_task(jwks.key(rsa_key.kid, rsa_key.alg))
    await until(lambda: issuer.open_now == 1)
    async with asyncio.timeout(50):
        await jwks.close()
        assert await asking == UNAVAILABLE
