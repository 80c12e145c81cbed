"""A client of Colyseus 0.16."""

import json
import struct
import urllib.request
from typing import Any

from tests.bench.fanout.connection import Connection, Unexpected
from tests.bench.fanout.work import EVENT, event_data

_JOIN_ROOM = 10
_ROOM_DATA = 13


def join_colyseus(port: int, room: str) -> Connection:
    """Reserve a seat in the room over HTTP, and take it. Raises Unexpected if it is refused."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/matchmake/joinOrCreate/lobby",
        data=json.dumps({"room": room}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        seat = json.load(answer)
    path = f"/{seat['room']['processId']}/{seat['room']['roomId']}?sessionId={seat['sessionId']}"
    connection = Connection(port, path)
    confirmed = connection.message()
    if confirmed[0] != _JOIN_ROOM:
        raise Unexpected(confirmed)
    connection.send(bytes((_JOIN_ROOM,)), first_byte=0x82)
    return connection


def colyseus_frame(_room: str, number: int) -> bytes:
    """The frame of a message with the data of a round's event, as MessagePack."""
    fields = b"".join(_string(key) + _number(value) for key, value in event_data(number).items())
    payload = bytes((_ROOM_DATA,)) + _string(EVENT) + struct.pack("!BH", 0xDE, 5) + fields
    return bytes((0x82, len(payload))) + payload


def _string(text: str) -> bytes:
    return bytes((0xA0 | len(text),)) + text.encode()


def _number(value: Any) -> bytes:
    if isinstance(value, float):
        return struct.pack("!Bd", 0xCB, value)
    return bytes((value,)) if value < 128 else struct.pack("!BH", 0xCD, value)
