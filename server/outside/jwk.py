"""Public keys as an issuer publishes them (RFC 7517), and which of them we use."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from protocol import strict_json
from server.runtime.ed25519 import is_usable_key

RSA_MIN_BITS = 2048

log = structlog.get_logger(__name__)

KeySet = Mapping[str, Mapping[str, PyJWK]]
"""Keys by `kid`, then by algorithm: RFC 7517 4.5 lets keys of different types share a `kid`."""


def read_key_set(document: bytes) -> KeySet:
    """The keys of a JWKS document that may verify tokens: RS256 from 2048 bits, and Ed25519 where
    only the key's owner can sign.

    Entries that are broken or meant for something else are left out and spoil no other. Of two
    keys with the same `kid` and algorithm the first counts. Raises ValueError for what is no
    JWKS document or has no key for us.
    """
    keys: dict[str, dict[str, PyJWK]] = {}
    for index, entry in enumerate(_Document.model_validate(strict_json.loads(document)).keys):
        try:
            key = _read_key(entry)
        except (ValueError, PyJWTError):
            log.info("jwk_skipped", index=index)
            continue
        keys.setdefault(str(key.key_id), {}).setdefault(key.algorithm_name, key)
    if not keys:
        raise ValueError("no usable key")
    return keys


def _read_key(entry: Any) -> PyJWK:
    algorithm = _JWK.validate_python(entry).alg
    if "d" in entry:
        raise ValueError("a private key that was published is no secret any more")
    key = PyJWK(entry, algorithm)
    if not _is_trustworthy(key.key):
        raise ValueError("anyone could sign for this key, or soon")
    return key


def _is_trustworthy(key: Any) -> bool:
    match key:
        case RSAPublicKey():
            return key.key_size >= RSA_MIN_BITS
        case Ed25519PublicKey():
            return is_usable_key(key.public_bytes_raw())
    return False


def _with_verify(operations: list[str]) -> list[str]:
    if "verify" not in operations:
        raise ValueError("the key is not for verifying")
    return operations


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


class _Ed25519Jwk(_Jwk):
    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    alg: Literal["EdDSA"] = "EdDSA"


_JWK: TypeAdapter[_RsaJwk | _Ed25519Jwk] = TypeAdapter(
    Annotated[_RsaJwk | _Ed25519Jwk, Field(discriminator="kty")],
    config=ConfigDict(defer_build=True),
)
