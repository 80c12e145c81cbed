"""The Socket.IO packets inside Engine.IO messages (protocol 5), text only.

Reading is strict: whatever a stock client never sends is malformed. Writing yields bytes that
begin with the Engine.IO type, ready to be framed.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import orjson

from protocol import strict_json
from protocol.errors import Refused, error_body

# Type, namespace with its comma (the default one is left out), ack id, JSON.
# 16 digits hold every integer that a JavaScript client can count to.
_PACKET = re.compile(r"([0-3])(?:(/[^,]*)(?:,|\Z))?([0-9]{1,16}(?![0-9]))?(.*)", re.DOTALL)


class MalformedPacket(ValueError):
    """What a client sent is no packet that a client may send."""


@dataclass(frozen=True, slots=True)
class Connect:
    """Asks to join `namespace`; `auth` is any JSON value, None when there was none. Its texts may
    hold lone surrogates: no token has any, and nothing else in it is a text to us."""

    namespace: str
    auth: Any


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Leaves `namespace`."""

    namespace: str


@dataclass(frozen=True, slots=True)
class Event:
    """A named message with its arguments, to be acknowledged if `ack_id` is not None. Without
    `is_text` there is half a surrogate pair in it, and so nothing that could be stored or sent."""

    namespace: str
    ack_id: int | None
    name: str
    args: list[Any]
    is_text: bool = True


@dataclass(frozen=True, slots=True)
class Ack:
    """Acknowledges an event of the server."""

    namespace: str


ClientPacket = Connect | Disconnect | Event | Ack


def parse_packet(text: str) -> ClientPacket:
    """The packet in an Engine.IO message. Raises MalformedPacket."""
    match = _PACKET.fullmatch(text)
    if match is None:
        raise MalformedPacket("not a packet")
    kind, namespace, digits, document = match.groups(default="")
    return _READERS[kind](namespace or "/", digits, document)


def _read_json(document: str) -> tuple[Any, bool]:
    """As `strict_json.read`: a stock client sends half a surrogate pair if its page does."""
    try:
        return strict_json.read(document)
    except ValueError as error:
        raise MalformedPacket("not JSON") from error


def _read_connect(namespace: str, digits: str, document: str) -> Connect:
    json = digits + document  # a connect has no id
    auth, _ = _read_json(json) if json else (None, True)
    return Connect(namespace, auth)


def _read_disconnect(namespace: str, digits: str, document: str) -> Disconnect:
    if digits or document:
        raise MalformedPacket("a disconnect carries nothing")
    return Disconnect(namespace)


def _read_event(namespace: str, digits: str, document: str) -> Event:
    value, is_text = _read_json(document)
    match value:
        case [str(name), *args]:
            return Event(namespace, int(digits) if digits else None, name, args, is_text)
    raise MalformedPacket("an event is an array that begins with its name")


def _read_ack(namespace: str, digits: str, document: str) -> Ack:
    if not digits or not isinstance(_read_json(document)[0], list):
        raise MalformedPacket("an acknowledgement is an array with an id")
    return Ack(namespace)


_READERS: Final[Mapping[str, Callable[[str, str, str], ClientPacket]]] = {
    "0": _read_connect,
    "1": _read_disconnect,
    "2": _read_event,
    "3": _read_ack,
}


def connect_packet(namespace: str, sid: str) -> bytes:
    """Notifies a client that it has joined."""
    return _head("40", namespace) + orjson.dumps({"sid": sid})


def disconnect_packet(namespace: str) -> bytes:
    """Notifies a client that it was removed, and should not come back by itself."""
    return _head("41", namespace)


def event_packet(namespace: str, event: str, data_json: bytes) -> bytes:
    """An event with one argument, which is JSON already."""
    return _event_head(namespace, event) + data_json + b"]"


def ack_packet(namespace: str, ack_id: int, body: Mapping[str, Any]) -> bytes:
    """The answer to the event that carried `ack_id`."""
    return b"%b%d%b" % (_head("43", namespace), ack_id, orjson.dumps([body]))


def connect_error_packet(namespace: str, refused: Refused) -> bytes:
    """Refuses a client that may not join: `message` and `data` become those of its error."""
    body = error_body(refused)
    return _head("44", namespace) + orjson.dumps({"message": body["message"], "data": body})


@lru_cache(maxsize=1024)  # the same few events go to a lobby again and again
def _event_head(namespace: str, event: str) -> bytes:
    return b"%b[%b," % (_head("42", namespace), orjson.dumps(event))


def _head(kind: str, namespace: str) -> bytes:
    return (kind if namespace == "/" else f"{kind}{namespace},").encode()
