"""A server of Socket.IO that sends what a test has scripted, whether a server should or not."""

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import WSMsgType, web

from tests.support.http import serve_app

FRONT_DESK: Final = "/lobbies"
CUT: Final = "cut"
"""In the place of a packet: the connection is reset."""
WHEN_LEFT: Final = "when left"
"""What comes after this is sent after the answer to `leave`."""
SILENCE_SECONDS: Final = 45.0
_PACKET: Final = re.compile(r"4([02])(/[^,]+),(\d*)(.*)", re.S)

Sent = str | tuple[str, Any]
"""A packet as it is, with `{ns}` for the namespace; or an event's name and its message."""


@dataclass
class ScriptedServer:
    """`rooms` are what is sent on each connection to a room, in turn, the last of them on all
    further ones. `answers` are the acknowledgements of each command, in the same way: their
    arguments as JSON."""

    rooms: Sequence[Sequence[Sent]]
    answers: Mapping[str, Sequence[str]]
    silence_seconds: float = SILENCE_SECONDS
    """After so long without a packet clients take the connection for dead: it sends no pings."""
    auths: list[dict[str, Any]] = field(default_factory=list)
    """The `auth` of each connection to a room."""
    asked: list[str] = field(default_factory=list)
    """The commands that came, in order."""
    _kept: list[str] = field(default_factory=list)

    async def listen(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        half_ms = round(self.silence_seconds * 500)
        pings = {"pingInterval": half_ms, "pingTimeout": half_ms}
        await socket.send_str("0" + json.dumps({"sid": "s", "upgrades": [], **pings}))
        async for message in socket:
            packet = _PACKET.fullmatch(str(message.data))
            if message.type is not WSMsgType.TEXT or packet is None:
                continue
            kind, namespace, ack, document = packet.groups()
            for answer in self._answers(kind, namespace, ack, json.loads(document)):
                if answer == CUT:
                    assert request.transport is not None
                    request.transport.abort()
                    break
                await socket.send_str(answer)
        return socket

    def _answers(self, kind: str, namespace: str, ack: str, data: Any) -> list[str]:
        if kind == "2":
            answer = _of_turn(self.answers.get(data[0], ()), self.asked.count(data[0]))
            self.asked.append(data[0])
            if answer is None:
                return []
            kept = self._kept if data[0] == "leave" else []
            return [answer if answer == CUT else f"43{namespace},{ack}{answer}", *kept]
        if namespace == FRONT_DESK:
            events: Sequence[Sent] = [("lobbies", {"lobbies": []})]
        else:
            events = _of_turn(self.rooms, len(self.auths)) or ()
            self.auths.append(data)
        packets = [_packet(each, namespace) for each in events]
        if WHEN_LEFT in packets:
            end = packets.index(WHEN_LEFT)
            packets, self._kept = packets[:end], packets[end + 1 :]
        is_refused = packets[:1] and packets[0].startswith("44")
        return packets if is_refused else [f'40{namespace},{{"sid":"s"}}', *packets]


def _of_turn(scripted: Sequence[Any], turn: int) -> Any:
    return scripted[min(turn, len(scripted) - 1)] if scripted else None


def _packet(scripted: Sent, namespace: str) -> str:
    if isinstance(scripted, str):
        return scripted.replace("{ns}", namespace)
    return f"42{namespace},{json.dumps(scripted)}"


@asynccontextmanager
async def scripted_server(
    rooms: Sequence[Sequence[Sent]] = (),
    silence_seconds: float = SILENCE_SECONDS,
    /,
    **answers: Sequence[str],
) -> AsyncIterator[tuple[str, ScriptedServer]]:
    """Run such a server, and give its URL and itself."""
    server = ScriptedServer(rooms, answers, silence_seconds)
    app = web.Application()
    app.router.add_get("/socket.io/", server.listen)
    async with serve_app(app) as url:
        yield url, server
