"""Which of the published keys may verify a token."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from protocol.errors import ErrorCode, Refused
from server.outside.identity import Identity
from tests.outside.conftest import MakeVerifier
from tests.outside.draft import Draft
from tests.outside.issuer import EcKey, Ed25519Key, Issuer, Jwk, RsaKey, SigningKey

UNAUTHORIZED = Refused(ErrorCode.UNAUTHORIZED)


def changed(key: SigningKey, **members: Any) -> Jwk:
    return key.jwk() | members


def private(key: Ed25519Key) -> Jwk:
    secret = base64.urlsafe_b64encode(key.private.private_bytes_raw()).rstrip(b"=").decode()
    return changed(key, d=secret)


USABLE_KEYS: dict[str, Callable[[SigningKey], Jwk]] = {
    "as it is": lambda k: k.jwk(),
    "without alg": lambda k: {n: v for n, v in k.jwk().items() if n != "alg"},
    "without use": lambda k: {n: v for n, v in k.jwk().items() if n != "use"},
    "without key_ops": lambda k: {n: v for n, v in k.jwk().items() if n != "key_ops"},
    "key_ops verify": lambda k: changed(k, key_ops=["verify"]),
    "key_ops verify among others": lambda k: changed(k, key_ops=["sign", "verify"]),
    "unknown members": lambda k: changed(k, x5t="abc", iat=1),
}

FORBIDDING_KEYS: dict[str, Callable[[SigningKey], Jwk]] = {
    "use enc": lambda k: changed(k, use="enc"),
    "use that is a list": lambda k: changed(k, use=["sig"]),
    "key_ops without verify": lambda k: changed(k, key_ops=["sign"]),
    "no key_ops at all": lambda k: changed(k, key_ops=[]),
    "key_ops that is a string": lambda k: changed(k, key_ops="verify"),
    "another alg": lambda k: changed(k, alg="PS256"),
    "another kty": lambda k: changed(k, kty="EC"),
    "no kty": lambda k: {n: v for n, v in k.jwk().items() if n != "kty"},
    "a kid that is a number": lambda k: changed(k, kid=1),
    "no kid": lambda k: {n: v for n, v in k.jwk().items() if n != "kid"},
}


@pytest.mark.parametrize("publish", USABLE_KEYS.values(), ids=USABLE_KEYS.keys())
@pytest.mark.parametrize("kind", ["rsa_key", "ed25519_key"])
async def test_a_key_is_used_as_it_allows(
    issuer: Issuer,
    make_verifier: MakeVerifier,
    request: pytest.FixtureRequest,
    kind: str,
    publish: Callable[[SigningKey], Jwk],
) -> None:
    key: SigningKey = request.getfixturevalue(kind)
    issuer.publish(publish(key))
    assert isinstance(await make_verifier().verify(Draft(key).signed()), Identity)


@pytest.mark.parametrize("publish", FORBIDDING_KEYS.values(), ids=FORBIDDING_KEYS.keys())
@pytest.mark.parametrize("kind", ["rsa_key", "ed25519_key"])
async def test_a_key_is_not_used_otherwise(
    issuer: Issuer,
    make_verifier: MakeVerifier,
    request: pytest.FixtureRequest,
    kind: str,
    publish: Callable[[SigningKey], Jwk],
) -> None:
    key: SigningKey = request.getfixturevalue(kind)
    issuer.publish(publish(key), RsaKey("other"))
    assert await make_verifier().verify(Draft(key).signed()) == UNAUTHORIZED


@pytest.mark.parametrize(
    "key", [RsaKey("weak", bits=1024), RsaKey("weak", bits=2040), EcKey("ec")], ids=lambda k: k.alg
)
async def test_a_weak_or_foreign_key_is_not_used(
    issuer: Issuer, make_verifier: MakeVerifier, rsa_key: RsaKey, key: SigningKey
) -> None:
    issuer.publish(key, rsa_key)
    assert await make_verifier().verify(Draft(key).signed()) == UNAUTHORIZED


class NobodysKey(SigningKey):
    """An Ed25519 key of small order. Under that of order 1 the same signature fits every text; of
    the others every few texts one."""

    kid, alg = "nobody", "EdDSA"

    def __init__(self, y: int) -> None:
        self._encoded = y.to_bytes(32, "little")

    def sign(self, _signing_input: bytes) -> bytes:
        return (1).to_bytes(32, "little") + bytes(32)

    def jwk(self) -> Jwk:
        x = base64.urlsafe_b64encode(self._encoded).rstrip(b"=").decode()
        return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.kid}


P = 2**255 - 19


@pytest.mark.parametrize("y", [1, P - 1, 0, P + 1, 1 + 2**255], ids=hex)
async def test_a_key_that_anyone_can_sign_for_is_not_used(
    issuer: Issuer, make_verifier: MakeVerifier, rsa_key: RsaKey, y: int
) -> None:
    key = NobodysKey(y)
    issuer.publish(key, rsa_key)
    verifier = make_verifier()
    for number in range(16):
        token = Draft(key).with_claims(sub=f"alien:{number}")
        assert await verifier.verify(token) == UNAUTHORIZED


async def test_a_document_of_such_keys_alone_takes_no_known_key_away(
    issuer: Issuer, make_verifier: MakeVerifier
) -> None:
    issuer.publish(NobodysKey(1))
    assert await make_verifier().verify(Draft(NobodysKey(1)).signed()) == Refused(
        ErrorCode.UNAVAILABLE
    )


async def test_a_private_key_that_was_published_is_not_used(
    issuer: Issuer, make_verifier: MakeVerifier, rsa_key: RsaKey, ed25519_key: Ed25519Key
) -> None:
    issuer.publish(private(ed25519_key), rsa_key)
    assert await make_verifier().verify(Draft(ed25519_key).signed()) == UNAUTHORIZED


async def test_keys_of_two_types_may_share_a_kid(
    issuer: Issuer, make_verifier: MakeVerifier
) -> None:
    keys: list[SigningKey] = [RsaKey("shared"), Ed25519Key("shared")]
    issuer.publish(*keys)
    verifier = make_verifier()
    for key in keys:
        assert isinstance(await verifier.verify(Draft(key).signed()), Identity)


async def test_of_two_keys_of_one_type_and_kid_the_first_is_used(
    issuer: Issuer, make_verifier: MakeVerifier
) -> None:
    first, second = Ed25519Key("shared"), Ed25519Key("shared")
    issuer.publish(first, second)
    verifier = make_verifier()
    assert isinstance(await verifier.verify(Draft(first).signed()), Identity)
    assert await verifier.verify(Draft(second).signed()) == UNAUTHORIZED
