"""Who a connection belongs to, and until when its tokens let it live."""

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from protocol.errors import ErrorCode, Refused
from protocol.from_client import RefreshToken
from protocol.to_client import RefreshTokenAnswer
from server.outside.identity import Identity
from server.transport.close_reason import CloseReason
from server.transport.commands import Answer
from server.transport.member import Member, PlayerSession
from server.transport.token_check import TokenCheck

# The clock may be corrected while a token lives, so its expiry is looked at again and again.
EXPIRY_RECHECK_SECONDS: Final = 600.0


class Tokens:
    """Holds every connection to one player and to the expiry of its tokens. `now_ms` is Unix time
    in milliseconds."""

    def __init__(self, check: TokenCheck, now_ms: Callable[[], float]) -> None:
        self._check = check
        self._now_ms = now_ms

    async def identify(self, session: PlayerSession, auth: Any) -> Identity | Refused:
        """The player behind the `auth` of a connect packet."""
        if not isinstance(auth, dict) or "token" not in auth:
            return Refused(ErrorCode.UNAUTHORIZED)
        return await self._same_player(session, auth["token"])

    def accept(self, session: PlayerSession, identity: Identity) -> None:
        """The connection joined a namespace as `identity`: the token that expires first counts."""
        is_watched = session.alien_id is not None
        session.alien_id = identity.alien_id
        if not is_watched or identity.expires_at_ms < session.expires_at_ms:
            session.expires_at_ms = min(session.expires_at_ms, identity.expires_at_ms)
            self._watch_expiry(session)

    async def refresh(self, member: Member, request: RefreshToken) -> Answer | Refused:
        """The new token replaces all that the connection came with."""
        session = member.session
        identity = await self._same_player(session, request.token)
        if isinstance(identity, Refused):
            return identity
        session.expires_at_ms = identity.expires_at_ms
        self._watch_expiry(session)
        return RefreshTokenAnswer(expires_at=identity.expires_at_ms).model_dump()

    async def _same_player(self, session: PlayerSession, token: object) -> Identity | Refused:
        identity = await self._vouched_for(session, token)
        if isinstance(identity, Refused):
            return identity
        if session.alien_id not in (None, identity.alien_id):
            return Refused(ErrorCode.IDENTITY_MISMATCH)
        return identity

    async def _vouched_for(self, session: PlayerSession, token: object) -> Identity | Refused:
        """The player of a token. Who shows the same token for each namespace has its signature
        checked once."""
        digest = _digest(token)
        if session.vouched is not None and session.vouched[0] == digest:
            known = session.vouched[1]
            if self._now_ms() < known.expires_at_ms:
                return known
        identity = await self._check.identify(token, session.address)
        if isinstance(identity, Identity):
            session.vouched = digest, identity
        return identity

    def _watch_expiry(self, session: PlayerSession) -> None:
        left_seconds = (session.expires_at_ms - self._now_ms()) / 1000
        if left_seconds <= 0:
            session.close(CloseReason.EXPIRED)
        else:
            session.set_deadline(
                min(left_seconds, EXPIRY_RECHECK_SECONDS), partial(self._watch_expiry, session)
            )


def _digest(token: object) -> bytes:
    # "surrogatepass": whatever JSON can hold; the verifier judges it.
    text = token if isinstance(token, str) else ""
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()
