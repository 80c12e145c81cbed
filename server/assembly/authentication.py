"""Who players are: the issuer's keys, and the check of tokens by them."""

import time
from collections.abc import Callable

from server.assembly.limits import socket_limits
from server.outside.identity import IdentityVerifier
from server.outside.jwks import Jwks
from server.runtime.clock import StoreClock
from server.runtime.settings import Settings
from server.transport.limits import RateByKey
from server.transport.token_check import TokenCheck


class Authentication:
    """The `check` of tokens, and the limit of `failures` for each address. `seen` is called with a
    player and the address that the player came from."""

    def __init__(
        self, settings: Settings, clock: StoreClock, seen: Callable[[str, str], None] | None
    ) -> None:
        self._keys = Jwks(
            url=settings.alien_jwks_url,
            ttl_seconds=settings.jwks_ttl_seconds,
            cooldown_seconds=settings.jwks_cooldown_seconds,
        )
        verifier = IdentityVerifier(
            keys=self._keys,
            issuer=settings.alien_issuer,
            audience=settings.alien_provider_address,
            token_max_seconds=settings.token_max_seconds,
            leeway_seconds=settings.jwt_leeway_seconds,
            now_s=clock.now_s,
        )
        self.failures = RateByKey(socket_limits(settings).connects_by_address, time.monotonic)
        self.check = TokenCheck(verifier.verify, self.failures, seen)

    async def close(self) -> None:
        """Fetch no more keys."""
        await self._keys.close()
