"""When the issuer's keys are fetched."""

import asyncio

from protocol.errors import ErrorCode, Refused
from tests.outside.conftest import MakeJwks, knows
from tests.outside.issuer import Ed25519Key, Issuer, RsaKey
from tests.support.wait import TIMEOUT_SECONDS, until

UNAUTHORIZED = Refused(ErrorCode.UNAUTHORIZED)
UNAVAILABLE = Refused(ErrorCode.UNAVAILABLE)


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
    await until(lambda: knows(jwks, ed25519_key))


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


async def test_closing_ends_a_fetch_under_way_and_whoever_waits_for_it(
    issuer: Issuer, make_jwks: MakeJwks, rsa_key: RsaKey
) -> None:
    issuer.answers.clear()
    jwks = make_jwks(fetch_seconds=2 * TIMEOUT_SECONDS)  # which nobody waits for
    asking = asyncio.create_task(jwks.key(rsa_key.kid, rsa_key.alg))
    await until(lambda: issuer.open_now == 1)
    async with asyncio.timeout(TIMEOUT_SECONDS):
        await jwks.close()
        assert await asking == UNAVAILABLE
