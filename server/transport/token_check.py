"""Whom a token vouches for, unless its address fails all the time."""

from collections.abc import Awaitable, Callable

from protocol.errors import ErrorCode, Refused
from server.outside.identity import Identity
from server.transport.limits import RateByKey


class TokenCheck:
    """`verify` behind a limit: an address whose tokens were refused more often than `failures`
    allows gets `rate_limited`, whatever it sends, and costs no signature check. `seen` gets
    which player came from which address."""

    def __init__(
        self,
        verify: Callable[[object], Awaitable[Identity | Refused]],
        failures: RateByKey,
        seen: Callable[[str, str], None] | None = None,
    ) -> None:
        self._seen = seen
        self._verify = verify
        self._failures = failures

    async def identify(self, token: object, address: str) -> Identity | Refused:
        """The player of a token that came from `address`."""
        if not self._failures.would_allow(address):
            return Refused(ErrorCode.RATE_LIMITED)
        identity = await self._verify(token)
        if not isinstance(identity, Refused):
            if self._seen is not None:
                self._seen(identity.alien_id, address)
        elif identity.code is not ErrorCode.UNAVAILABLE:  # which is not the client's failure
            self._failures.allow(address)
        return identity
