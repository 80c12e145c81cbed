"""The servers that are compared, and how a client joins a room of each."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.fanout.colyseus import colyseus_frame, join_colyseus
from tests.bench.fanout.connection import Connection, Unexpected
from tests.bench.fanout.work import socketio_frame
from tests.support.npm import has_node, install_packages

JS: Final = Path(__file__).parent / "js"
SOCKETIO_PATH: Final = "/socket.io/?EIO=4&transport=websocket"


@dataclass(frozen=True, slots=True)
class Contender:
    """A server: the command that starts it; what connects a client to its port and into a room; and
    the frame in which it sends a room the event of a round with that number."""

    name: str
    command: tuple[str, ...]
    join: Callable[[int, str], Connection]
    frame: Callable[[str, int], bytes] = socketio_frame


def join_raw(port: int, room: str) -> Connection:
    """Connect; the path is the room."""
    return Connection(port, room)


def join_socketio(port: int, room: str) -> Connection:
    """Connect, and enter the namespace that is the room. Raises Unexpected if it is refused."""
    connection = open_engineio(port)
    connection.send(b'40%b,{"token":"p"}' % room.encode())
    answer = connection.message()
    if not answer.startswith(b"40" + room.encode()):
        raise Unexpected(answer)
    return connection


def open_engineio(port: int) -> Connection:
    """A connection of Engine.IO that is in no namespace yet. Raises Unexpected if it is refused."""
    connection = Connection(port, SOCKETIO_PATH)
    opened = connection.message()
    if not opened.startswith(b"0"):
        raise Unexpected(opened)
    return connection


def _python(name: str) -> tuple[str, ...]:
    return (sys.executable, "-m", f"tests.bench.fanout.servers.{name}")


def _node(*arguments: str) -> tuple[str, ...]:
    return ("node", str(JS / arguments[0]), *arguments[1:])


OURS: Final = Contender("ours", _python("ours"), join_socketio)
STOCK: Final = Contender("python-socketio", _python("stock"), join_socketio)
RAW: Final = Contender("raw asyncio", _python("raw"), join_raw)
IN_PYTHON: Final = (OURS, STOCK, RAW)

_WS: Final = Contender("Socket.IO (ws)", _node("socketio.js", "ws"), join_socketio)
_EIOWS: Final = Contender("Socket.IO (eiows)", _node("socketio.js", "eiows"), join_socketio)
_COLYSEUS: Final = Contender("Colyseus", _node("colyseus.js"), join_colyseus, colyseus_frame)


def in_javascript() -> tuple[Contender, ...]:
    """The servers for Node, whose packages are installed first if need be; none without node and
    npm. Socket.IO with eiows only where that can be built, for which it fetches the source of
    Node."""
    if not has_node():
        return ()
    # Not `npm ci`: it insists on the optional binaries of every other platform as well.
    has_eiows = (install_packages(JS, "install", "--no-save") / "eiows").exists()
    return (_WS, _EIOWS, _COLYSEUS) if has_eiows else (_WS, _COLYSEUS)
