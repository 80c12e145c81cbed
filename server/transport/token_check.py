"""Whom a token vouches for, unless its address fails all the time."""

from collections.abc import Awaitable, Callable

from protocol.errors import ErrorCode, Refused
from server.outside.identity import Identity
from server.transport.limits import RateByKey


class TokenCheck:
    """`verify` behind a limit: an address whose tokens were refused more often than `failures`
    allows gets `rate_limited`, whatever it sends, and costs no signature check."""

    def __init__(
        self, verify: Callable[[object], Awaitable[Identity | Refused]], failures: RateByKey
    ) -> None:
        self._verify = verify
        self._failures = failures

    async def identify(self, token: object, address: str) -> Identity | Refused:
        """The player of a token that came from `address`."""
        if not self._failures.would_allow(address):
            return Refused(ErrorCode.RATE_LIMITED)
        identity = await self._verify(token)
        # That the issuer cannot be asked is not the client's failure.
        if isinstance(identity, Refused) and identity.code is not ErrorCode.UNAVAILABLE:
            self._failures.allow(address)
        return identity
