"""Which tokens make a player, and what the others are refused with."""

from collections.abc import Callable

import pytest

from protocol.errors import ErrorCode, Refused
from server.outside.identity import Identity, IdentityVerifier
from tests.outside.conftest import MakeVerifier
from tests.outside.draft import NOW, Draft
from tests.outside.issuer import Ed25519Key, Issuer, RsaKey
from tests.outside.tokens import ACCEPTED, HOSTILE

UNAUTHORIZED = Refused(ErrorCode.UNAUTHORIZED)
EXPIRED = Refused(ErrorCode.TOKEN_EXPIRED)
UNAVAILABLE = Refused(ErrorCode.UNAVAILABLE)


@pytest.fixture
def draft(ed25519_key: Ed25519Key) -> Draft:
    return Draft(ed25519_key)


@pytest.fixture
def verifier(
    issuer: Issuer, make_verifier: MakeVerifier, rsa_key: RsaKey, ed25519_key: Ed25519Key
) -> IdentityVerifier:
    issuer.publish(rsa_key, ed25519_key)
    return make_verifier()


@pytest.mark.parametrize("make", ACCEPTED.values(), ids=ACCEPTED.keys())
async def test_a_valid_token_makes_a_player(
    verifier: IdentityVerifier, draft: Draft, make: Callable[[Draft], str]
) -> None:
    assert isinstance(await verifier.verify(make(draft)), Identity)


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_token_is_unauthorized(
    verifier: IdentityVerifier, draft: Draft, make: Callable[[Draft], object]
) -> None:
    assert await verifier.verify(make(draft)) == UNAUTHORIZED


async def test_the_player_is_the_sub_until_exp(verifier: IdentityVerifier, draft: Draft) -> None:
    identity = await verifier.verify(draft.with_claims(sub="a.b-c", exp=NOW + 1.5))
    assert identity == Identity(alien_id="a.b-c", expires_at_ms=(NOW + 1.5) * 1000)


async def test_an_rs256_token_makes_a_player(verifier: IdentityVerifier, rsa_key: RsaKey) -> None:
    assert isinstance(await verifier.verify(Draft(rsa_key).signed()), Identity)


@pytest.mark.parametrize("age_seconds", [0, 0.5, NOW + 1e300])
async def test_a_token_whose_only_fault_is_its_age_has_expired(
    verifier: IdentityVerifier, draft: Draft, age_seconds: float
) -> None:
    expires = NOW - age_seconds
    token = draft.with_claims(iat=expires - 60, exp=expires)
    assert await verifier.verify(token) == EXPIRED


async def test_the_leeway_counts_at_exp_and_nbf_and_no_further(
    issuer: Issuer, make_verifier: MakeVerifier, draft: Draft
) -> None:
    issuer.publish(draft.key)
    verifier = make_verifier(leeway_seconds=5)
    assert isinstance(await verifier.verify(draft.with_claims(exp=NOW - 4.5)), Identity)
    assert isinstance(await verifier.verify(draft.with_claims(nbf=NOW + 5)), Identity)
    assert await verifier.verify(draft.with_claims(exp=NOW - 5)) == EXPIRED
    assert await verifier.verify(draft.with_claims(nbf=NOW + 5.5)) == UNAUTHORIZED


async def test_the_hmac_of_a_public_key_is_no_signature(
    verifier: IdentityVerifier, rsa_key: RsaKey
) -> None:
    token = Draft(rsa_key).with_header(alg="HS256")
    assert await verifier.verify(token) == UNAUTHORIZED


async def test_with_no_key_known_a_token_that_needs_one_is_unavailable_and_others_do_not_wait(
    issuer: Issuer, make_verifier: MakeVerifier, draft: Draft
) -> None:
    issuer.down = True
    verifier = make_verifier()
    assert await verifier.verify(draft.with_claims(aud="other")) == UNAUTHORIZED
    assert issuer.fetches == 0
    assert await verifier.verify(draft.signed()) == UNAVAILABLE
    assert issuer.fetches == 1
