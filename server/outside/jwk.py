"""Public keys as an issuer publishes them (RFC 7517), and which of them we use."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

from protocol import strict_json
from server.outside.base64url import decoded
from server.runtime.ed25519 import Verify, is_usable_key, verifier

RSA_MIN_BITS = 2048

log = structlog.get_logger(__name__)

KeySet = Mapping[str, Mapping[str, Verify]]
"""What checks signatures of the keys by `kid`, then by algorithm: RFC 7517 4.5 lets keys of
different types share a `kid`."""


def read_key_set(document: bytes) -> KeySet:
    """The keys of a JWKS document that may verify tokens: RS256 from 2048 bits, and Ed25519 where
    only the key's owner can sign.

    Entries that are broken or meant for something else are left out and spoil no other. Of two
    keys with the same `kid` and algorithm the first counts. Raises ValueError for what is no
    JWKS document or has no key for us.
    """
    keys: dict[str, dict[str, Verify]] = {}
    for index, entry in enumerate(_Document.model_validate(strict_json.loads(document)).keys):
        try:
            jwk = _JWK.validate_python(entry)
            if "d" in entry:
                raise ValueError("a private key that was published is no secret any more")
            verify = jwk.verifier()
        except ValueError:
            log.info("jwk_skipped", index=index)
            continue
        keys.setdefault(jwk.kid, {}).setdefault(jwk.alg, verify)
    if not keys:
        raise ValueError("no usable key")
    return keys


def _with_verify(operations: list[str]) -> list[str]:
    if "verify" not in operations:
        raise ValueError("the key is not for verifying")
    return operations


def _bytes(text: object) -> bytes:
    if not isinstance(text, str):
        raise ValueError("no text")
    return decoded(text.encode())


Binary = Annotated[bytes, BeforeValidator(_bytes)]


class _Document(BaseModel):
    model_config = ConfigDict(defer_build=True)

    keys: list[Any]


class _Jwk(BaseModel):
    model_config = ConfigDict(strict=True, defer_build=True)

    kid: Annotated[str, Field(min_length=1)]
    use: Literal["sig"] = "sig"
    key_ops: Annotated[list[str], AfterValidator(_with_verify)] = ["verify"]


class _RsaJwk(_Jwk):
    kty: Literal["RSA"]
    alg: Literal["RS256"] = "RS256"
    n: Binary
    e: Binary

    def verifier(self) -> Verify:
        """Of RSASSA-PKCS1-v1_5 with SHA-256. Raises ValueError for a key that is none, or weak."""
        e, n = (int.from_bytes(number) for number in (self.e, self.n))
        key = RSAPublicNumbers(e, n).public_key()
        if key.key_size < RSA_MIN_BITS:
            raise ValueError("anyone could sign for this key soon")

        def verify(signature: bytes, message: bytes) -> bool:
            try:
                key.verify(signature, message, PKCS1v15(), SHA256())
            except InvalidSignature:
                return False
            return True

        return verify


class _Ed25519Jwk(_Jwk):
    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    alg: Literal["EdDSA"] = "EdDSA"
    x: Binary

    def verifier(self) -> Verify:
        """Of Ed25519. Raises ValueError for a key that is none, or anybody's."""
        if not is_usable_key(self.x):
            raise ValueError("anyone could sign for this key")
        return verifier(self.x)


_JWK: TypeAdapter[_RsaJwk | _Ed25519Jwk] = TypeAdapter(
    Annotated[_RsaJwk | _Ed25519Jwk, Field(discriminator="kty")],
    config=ConfigDict(defer_build=True),
)
