"""A real issuer to test against: real keys, real signatures, a JWKS over HTTP that can go wrong."""

import asyncio
import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.utils import base64url_encode

Jwk = dict[str, Any]


class SigningKey(ABC):
    """A private key with the `kid` and the algorithm that it signs under."""

    kid: str
    alg: str

    @abstractmethod
    def sign(self, signing_input: bytes) -> bytes:
        """The signature."""

    @abstractmethod
    def jwk(self) -> Jwk:
        """The public key as an issuer publishes it."""


class RsaKey(SigningKey):
    alg = "RS256"
    _algorithm = RSAAlgorithm(RSAAlgorithm.SHA256)

    def __init__(self, kid: str, bits: int = 2048) -> None:
        self.kid = kid
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=bits)

    def sign(self, signing_input: bytes) -> bytes:
        return self._algorithm.sign(signing_input, self.private)

    def jwk(self) -> Jwk:
        public = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return public | {"kid": self.kid, "alg": self.alg, "use": "sig"}


class Ed25519Key(SigningKey):
    alg = "EdDSA"

    def __init__(self, kid: str) -> None:
        self.kid = kid
        self.private = Ed25519PrivateKey.generate()

    def sign(self, signing_input: bytes) -> bytes:
        return self.private.sign(signing_input)

    def jwk(self) -> Jwk:
        public = OKPAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return public | {"kid": self.kid, "alg": self.alg, "use": "sig"}


class EcKey(SigningKey):
    alg = "ES256"
    _algorithm = ECAlgorithm(ECAlgorithm.SHA256, ec.SECP256R1)

    def __init__(self, kid: str) -> None:
        self.kid = kid
        self.private = ec.generate_private_key(ec.SECP256R1())

    def sign(self, signing_input: bytes) -> bytes:
        return self._algorithm.sign(signing_input, self.private)

    def jwk(self) -> Jwk:
        public = ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return public | {"kid": self.kid, "alg": self.alg, "use": "sig"}


def compact(header: bytes, claims: bytes, key: SigningKey) -> str:
    """The compact token of exactly these bytes, signed."""
    signing_input = base64url_encode(header) + b"." + base64url_encode(claims)
    return (signing_input + b"." + base64url_encode(key.sign(signing_input))).decode()


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


@dataclass
class Issuer:
    """Serves `document`. `answers` cleared: it accepts connections and says nothing; `down`: it
    drops them; `drips`: its answer never ends; `status`: of its answer. `fetches` counts requests,
    `most_at_once` how many it ever had open."""

    url: str = ""
    document: bytes = b"{}"
    down: bool = False
    drips: bool = False
    status: int = 200
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    fetches: int = 0
    open_now: int = 0
    most_at_once: int = 0

    def __post_init__(self) -> None:
        self.answers.set()

    def publish(self, *keys: SigningKey | Jwk) -> None:
        entries = [key.jwk() if isinstance(key, SigningKey) else key for key in keys]
        self.document = as_json({"keys": entries})

    async def serve_keys(self, request: web.Request) -> web.StreamResponse:
        self.fetches += 1
        self.open_now += 1
        self.most_at_once = max(self.most_at_once, self.open_now)
        try:
            await self.answers.wait()
        finally:
            self.open_now -= 1
        if self.drips:
            return await drip(request)
        if self.down and request.transport is not None:
            request.transport.abort()
        response = web.Response(status=self.status, body=self.document)
        response.enable_compression()  # for whoever asks for it
        return response


async def drip(request: web.Request) -> web.StreamResponse:
    """A space every now and then, until the client has enough."""
    response = web.StreamResponse()
    await response.prepare(request)
    while request.transport is not None and not request.transport.is_closing():
        await response.write(b" ")
        await asyncio.sleep(0.1)
    return response
