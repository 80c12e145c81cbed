"""The token issuer of development: its tokens verify with the JWKS that it serves."""

from pathlib import Path
from typing import Any, get_args

import httpx
import jwt
import pytest
from aiohttp import web

from server.dev.issuer import Algorithm, DevIssuer
from tests.support.http import serve_app
from tests.support.wait import TIMEOUT_SECONDS

ISSUER, AUDIENCE = "https://issuer.test", "provider"
ALGORITHMS = get_args(Algorithm)


@pytest.fixture(scope="module")
def issuer() -> DevIssuer:
    return DevIssuer(ISSUER, AUDIENCE)


def _verified(token: str, jwks: dict[str, Any], algorithm: str) -> dict[str, Any]:
    key = jwt.PyJWKSet.from_dict(jwks)[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, Any] = jwt.decode(
        token, key, algorithms=[algorithm], audience=AUDIENCE, issuer=ISSUER
    )
    return claims


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_token_verifies_with_the_jwks_that_is_served(
    issuer: DevIssuer, algorithm: Algorithm
) -> None:
    app = web.Application()
    app.add_routes(issuer.routes())
    async with serve_app(app) as url, httpx.AsyncClient(timeout=TIMEOUT_SECONDS) as client:
        jwks = (await client.get(f"{url}/oauth/jwks")).json()
    claims = _verified(issuer.token("alice", algorithm=algorithm), jwks, algorithm)
    assert claims["sub"] == "alice"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_header_holds_kid_typ_and_alg_only(issuer: DevIssuer, algorithm: Algorithm) -> None:
    header = jwt.get_unverified_header(issuer.token("alice", algorithm=algorithm))
    kid = issuer.keys[algorithm].kid
    assert header == {"kid": kid, "typ": "JWT", "alg": algorithm}


def test_times_are_the_given_ones(issuer: DevIssuer) -> None:
    token = issuer.token("alice", lifetime_seconds=60, now_s=1_000)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["iat"], claims["exp"]) == (1_000, 1_060)


def test_a_token_lives_no_longer_than_asked(issuer: DevIssuer) -> None:
    token = issuer.token("alice", lifetime_seconds=-1)
    with pytest.raises(jwt.ExpiredSignatureError):
        _verified(token, issuer.jwks(), "EdDSA")


def test_the_jwks_shows_the_public_parts_only(issuer: DevIssuer) -> None:
    ed25519, rsa = issuer.jwks()["keys"]
    assert set(ed25519) == {"kty", "crv", "x", "kid", "alg", "use"}
    assert set(rsa) == {"kty", "n", "e", "kid", "alg", "use"}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_later_run_accepts_the_tokens_of_an_earlier(tmp_path: Path, algorithm: Algorithm) -> None:
    token = DevIssuer(ISSUER, AUDIENCE, tmp_path).token("alice", algorithm=algorithm)
    later = DevIssuer(ISSUER, AUDIENCE, tmp_path)
    assert _verified(token, later.jwks(), algorithm)["sub"] == "alice"


def test_two_issuers_share_no_kid(issuer: DevIssuer) -> None:
    other = DevIssuer(ISSUER, AUDIENCE)
    kids = {key["kid"] for key in issuer.jwks()["keys"] + other.jwks()["keys"]}
    assert len(kids) == 4


def test_kept_keys_are_for_the_owner_only(tmp_path: Path) -> None:
    DevIssuer(ISSUER, AUDIENCE, tmp_path)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
