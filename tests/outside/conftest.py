"""An issuer on loopback, and keys and verifiers that are closed after the test."""

from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from protocol.errors import Refused
from server.outside.identity import IdentityVerifier
from server.outside.jwks import Jwks
from tests.outside.draft import AUDIENCE, ISSUER, NOW
from tests.outside.issuer import Ed25519Key, Issuer, RsaKey, SigningKey

MakeJwks = Callable[..., Jwks]
MakeVerifier = Callable[..., IdentityVerifier]


async def knows(jwks: Jwks, key: SigningKey) -> bool:
    """Whether these keys have that one, fetched if need be."""
    return not isinstance(await jwks.key(key.kid, key.alg), Refused)


@pytest.fixture(scope="session")
def rsa_key() -> RsaKey:
    return RsaKey("rsa")


@pytest.fixture(scope="session")
def ed25519_key() -> Ed25519Key:
    return Ed25519Key("ed25519")


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    issuer = Issuer()
    app = web.Application()
    app.router.add_get("/jwks", issuer.serve_keys)
    server = TestServer(app)
    await server.start_server()
    issuer.url = str(server.make_url("/jwks"))
    yield issuer
    issuer.answers.set()
    await server.close()


@pytest.fixture
async def make_jwks(issuer: Issuer) -> AsyncIterator[MakeJwks]:
    """Makes keys of the issuer that are never fetched again unless the test says so."""
    made: list[Jwks] = []

    def make(
        ttl_seconds: float = 3600,
        cooldown_seconds: float = 3600,
        fetch_seconds: float = 60,
        url: str | None = None,
    ) -> Jwks:
        jwks = Jwks(
            url=url or issuer.url,
            ttl_seconds=ttl_seconds,
            cooldown_seconds=cooldown_seconds,
            fetch_seconds=fetch_seconds,
        )
        made.append(jwks)
        return jwks

    yield make
    for jwks in made:
        await jwks.close()


@pytest.fixture
def make_verifier(make_jwks: MakeJwks) -> MakeVerifier:
    """Makes verifiers for which it is always `NOW`."""

    def make(leeway_seconds: float = 0) -> IdentityVerifier:
        return IdentityVerifier(
            keys=make_jwks(),
            issuer=ISSUER,
            audience=AUDIENCE,
            token_max_seconds=86400,
            leeway_seconds=leeway_seconds,
            now_s=lambda: NOW,
        )

    return make
