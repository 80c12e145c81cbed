"""The players' tokens: issued by the development server, or signed here with the issuer's key."""

import time
from pathlib import Path
from typing import Any, Final, Protocol

import aiohttp
import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import OKPAlgorithm

from server.load.http import post_json
from server.load.meter import Meter

_ALGORITHM: Final = "EdDSA"


class TokenSource(Protocol):
    """Issues players' tokens."""

    async def token(self, alien_id: str) -> str:
        """A new token of the player. Raises RequestRefused."""
        ...


class DevTokens:
    """Has the development server at `url` issue tokens, which are valid for an hour."""

    def __init__(self, url: str, http: aiohttp.ClientSession, meter: Meter) -> None:
        self._url = f"{url}/dev/token"
        self._http = http
        self._meter = meter

    async def token(self, alien_id: str) -> str:
        """A new token of the player. Raises RequestRefused."""
        start_s = time.monotonic()
        answer = await post_json(self._http, self._url, {"alien_id": alien_id})
        self._meter.since("token", start_s)
        return str(answer["token"])


class SignedTokens:
    """Signs tokens with the Ed25519 key of an issuer, valid for `lifetime_seconds`. `issuer`,
    `audience` and `kid` are their `iss`, `aud` and `kid`."""

    def __init__(
        self,
        key: Ed25519PrivateKey,
        *,
        issuer: str,
        audience: str,
        kid: str,
        lifetime_seconds: float,
    ) -> None:
        self._key = key
        self._issuer = issuer
        self._audience = audience
        self._kid = kid
        self._lifetime_seconds = lifetime_seconds

    async def token(self, alien_id: str) -> str:
        """A new token of the player."""
        now_s = int(time.time())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": alien_id,
            "iat": now_s,
            "exp": now_s + self._lifetime_seconds,
        }
        return jwt.encode(claims, self._key, _ALGORITHM, headers={"kid": self._kid})


def read_key(path: Path) -> Ed25519PrivateKey:
    """The Ed25519 private key in a PEM file. Raises OSError, and ValueError if it is none."""
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path} holds no Ed25519 key")
    return key


def jwks_of(key: Ed25519PrivateKey, kid: str) -> dict[str, Any]:
    """The JSON Web Key Set (RFC 7517) of the key's public half, under that `kid`."""
    jwk = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {"keys": [{**jwk, "kid": kid, "alg": _ALGORITHM, "use": "sig"}]}
