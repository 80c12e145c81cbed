"""Who a client is: the `sub` of a token that the issuer signed for us."""

from collections.abc import Callable
from dataclasses import dataclass

from protocol.errors import ErrorCode, Refused
from server.outside.jwks import Jwks
from server.outside.token import Claims, Token, read_token


@dataclass(frozen=True, slots=True)
class Identity:
    """A player, and until when the token vouches for them, in Unix milliseconds: its `exp` and
    the leeway."""

    alien_id: str
    expires_at_ms: float


class IdentityVerifier:
    """Verifies tokens for one `audience` of one `issuer` (as strictly as RFC 8725 advises).

    `token_max_seconds` bounds `exp - iat`; `leeway_seconds` is allowed at `nbf` and `exp`;
    `now_s` returns Unix time in seconds.
    """

    def __init__(
        self,
        *,
        keys: Jwks,
        issuer: str,
        audience: str,
        token_max_seconds: float,
        leeway_seconds: float,
        now_s: Callable[[], float],
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._token_max_seconds = token_max_seconds
        self._leeway_seconds = leeway_seconds
        self._now_s = now_s

    async def verify(self, token: object) -> Identity | Refused:
        """The player whom `token`, whatever the client sent as one, vouches for.

        Refused with `token_expired` when its age is its only fault, with `unavailable` when it
        needs a key and none is known, with `unauthorized` for any other reason. It may wait 5 s
        for the issuer's keys, but only for an unknown key and a token that is right otherwise.
        """
        try:
            read = read_token(token)
        except ValueError:
            return Refused(ErrorCode.UNAUTHORIZED)
        if not self._is_for_us_now(read.claims):
            return Refused(ErrorCode.UNAUTHORIZED)
        return await self._check_signature(read) or self._check_expiry(read.claims)

    def _is_for_us_now(self, claims: Claims) -> bool:
        audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
        return (
            claims.iss == self._issuer
            and self._audience in audiences
            and claims.exp - claims.iat <= self._token_max_seconds
            and claims.nbf <= self._now_s() + self._leeway_seconds
        )

    async def _check_signature(self, token: Token) -> Refused | None:
        key = await self._keys.key(token.header.kid, token.header.alg)
        if isinstance(key, Refused):
            return key
        if not key.Algorithm.verify(token.signing_input, key.key, token.signature):
            return Refused(ErrorCode.UNAUTHORIZED)
        return None

    def _check_expiry(self, claims: Claims) -> Identity | Refused:
        ends_s = claims.exp + self._leeway_seconds
        if self._now_s() >= ends_s:
            return Refused(ErrorCode.TOKEN_EXPIRED)
        return Identity(alien_id=claims.sub, expires_at_ms=ends_s * 1000)
