"""A token issuer for development: real keys, real signatures, its JWKS over real HTTP."""

import hashlib
import json
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm
from jwt.utils import base64url_encode

from server.dev.keys import load_or_generate

JWKS_PATH = "/oauth/jwks"

Algorithm = Literal["EdDSA", "RS256"]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and its public half as the JWKS lists it."""

    private_key: Ed25519PrivateKey | RSAPrivateKey
    public_jwk: dict[str, Any]

    @property
    def kid(self) -> str:
        """The `kid` that the JWKS lists it under."""
        return str(self.public_jwk["kid"])


class DevIssuer:
    """Signs tokens for anyone who asks, with an Ed25519 and an RSA-2048 key.

    `issuer` and `audience` are the `iss` and `aud` of its tokens. The keys are those that earlier
    runs left in `data_dir`; without one they are new. `keys` has them by their algorithm.
    """

    def __init__(self, issuer: str, audience: str, data_dir: Path | None = None) -> None:
        self.issuer = issuer
        self.audience = audience
        self.keys: dict[Algorithm, SigningKey] = {
            "EdDSA": _ed25519(data_dir and data_dir / "issuer-ed25519.pem"),
            "RS256": _rsa(data_dir and data_dir / "issuer-rsa.pem"),
        }

    def jwks(self) -> dict[str, Any]:
        """The JSON Web Key Set (RFC 7517) of both public keys."""
        return {"keys": [key.public_jwk for key in self.keys.values()]}

    def token(
        self,
        alien_id: str,
        *,
        lifetime_seconds: float = 3600,
        now_s: float | None = None,
        algorithm: Algorithm = "EdDSA",
    ) -> str:
        """A signed token of the player `alien_id`, issued at the Unix time `now_s` (None: now) and
        valid for `lifetime_seconds`."""
        issued_at_s = time.time() if now_s is None else now_s
        claims = {
            "iss": self.issuer,
            "sub": alien_id,
            "aud": self.audience,
            "iat": issued_at_s,
            "exp": issued_at_s + lifetime_seconds,
        }
        key = self.keys[algorithm]
        return jwt.encode(claims, key.private_key, algorithm, headers={"kid": key.kid})

    def routes(self) -> list[web.RouteDef]:
        """`GET /oauth/jwks`, for an aiohttp application."""

        async def answer_jwks(_: web.Request) -> web.Response:
            return web.json_response(self.jwks())

        return [web.get(JWKS_PATH, answer_jwks)]


def _ed25519(path: Path | None) -> SigningKey:
    key = load_or_generate(path, Ed25519PrivateKey.generate)
    members = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return SigningKey(key, _as_jwk(members, "EdDSA"))


def _rsa(path: Path | None) -> SigningKey:
    key = load_or_generate(
        path, partial(generate_private_key, public_exponent=65537, key_size=2048)
    )
    members = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    del members["key_ops"]  # RFC 7517, 4.3: not together with `use`
    return SigningKey(key, _as_jwk(members, "RS256"))


def _as_jwk(members: dict[str, Any], algorithm: Algorithm) -> dict[str, Any]:
    # The `kid` is the key's thumbprint (RFC 7638), so another key never has the same one.
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
    thumbprint = base64url_encode(hashlib.sha256(canonical).digest()).decode()
    return {**members, "kid": thumbprint, "alg": algorithm, "use": "sig"}
