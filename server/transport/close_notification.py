"""The close notification: what a member is sent when its connection ends."""

import secrets
from typing import Final

from protocol.to_client import Draining
from server.transport.close_reason import CloseReason
from server.transport.frames import text_frame
from server.transport.member import Member
from server.transport.packets import disconnect_packet

RETRY_AFTER_MS: Final = range(500, 1501)
"""When to come back, at random in between: those who are sent away together do not return so."""
_DISMISSALS: Final = (
    CloseReason.EXPIRED,
    CloseReason.REFUSED,
    CloseReason.FLOODED,
    CloseReason.FAILED,
)


def notify_close(member: Member, reason: CloseReason) -> None:
    """Send why, where there is something that the client should do about it.

    A client that gets a disconnect packet does not come back by itself. One that is drained
    should: to it the connection just ends.
    """
    if reason is CloseReason.DRAINING:
        draining = Draining(retry_after_ms=secrets.choice(RETRY_AFTER_MS))
        member.send("draining", draining.model_dump_json().encode())
    elif reason in _DISMISSALS:
        member.session.write(text_frame(disconnect_packet(member.namespace)))
