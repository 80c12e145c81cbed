"""The last words to a member whose connection ends."""

from typing import Final

from protocol.to_client import Draining
from server.transport.ending import Ending
from server.transport.frames import text_frame
from server.transport.member import Member
from server.transport.packets import disconnect_packet

_DRAINING: Final = Draining(retry_after_ms=1000).model_dump_json().encode()
_DISMISSALS: Final = (Ending.EXPIRED, Ending.REFUSED, Ending.FLOODED, Ending.FAILED)


def say_goodbye(member: Member, ending: Ending) -> None:
    """Tell why, where there is something that the client should do about it.

    A client that gets a disconnect packet does not come back by itself. One that is drained
    should: to it the connection just ends.
    """
    if ending is Ending.DRAINING:
        member.send("draining", _DRAINING)
    elif ending in _DISMISSALS:
        member.session.write(text_frame(disconnect_packet(member.namespace)))
