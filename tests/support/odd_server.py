"""A server that speaks the packets of Socket.IO, and says in them whatever a test wants."""

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
"""Said instead of a packet: the connection breaks."""
WHEN_LEFT: Final = "when left"
"""What comes after this is said after the answer to `leave`."""
SILENCE_SECONDS: Final = 45.0
_PACKET: Final = re.compile(r"4([02])(/[^,]+),(\d*)(.*)", re.S)

Said = str | tuple[str, Any]
"""A packet as it is, with `{ns}` for the namespace; or an event and its message."""


@dataclass
class OddServer:
    """What is said on each connection to a room, in order, the last of it on all further ones; and
    what is answered to each command, in the same way, as JSON: the arguments of its answer."""

    rooms: Sequence[Sequence[Said]]
    answers: Mapping[str, Sequence[str]]
    silence_seconds: float = SILENCE_SECONDS
    """After so long clients take it for dead: it sends no pings."""
    auths: list[dict[str, Any]] = field(default_factory=list)
    """What came with each connection to a room."""
    asked: list[str] = field(default_factory=list)
    _kept: list[str] = field(default_factory=list)

    async def listen(self, request: web.Request) -> web.WebSocketResponse:
        """One connection."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        half_ms = round(self.silence_seconds * 500)
        pings = {"pingInterval": half_ms, "pingTimeout": half_ms}
        await socket.send_str("0" + json.dumps({"sid": "s", "upgrades": [], **pings}))
        async for message in socket:
            packet = _PACKET.fullmatch(str(message.data))
            if message.type is not WSMsgType.TEXT or packet is None:
                continue
            kind, namespace, ack, said = packet.groups()
            for answer in self._answers(kind, namespace, ack, json.loads(said)):
                if answer == CUT:
                    assert request.transport is not None
                    request.transport.abort()
                    break
                await socket.send_str(answer)
        return socket

    def _answers(self, kind: str, namespace: str, ack: str, said: Any) -> list[str]:
        if kind == "2":
            answer = _of_turn(self.answers.get(said[0], ()), self.asked.count(said[0]))
            self.asked.append(said[0])
            if answer is None:
                return []
            kept = self._kept if said[0] == "leave" else []
            return [answer if answer == CUT else f"43{namespace},{ack}{answer}", *kept]
        if namespace == FRONT_DESK:
            events: Sequence[Said] = [("lobbies", {"lobbies": []})]
        else:
            events = _of_turn(self.rooms, len(self.auths)) or ()
            self.auths.append(said)
        packets = [_packet(each, namespace) for each in events]
        if WHEN_LEFT in packets:
            end = packets.index(WHEN_LEFT)
            packets, self._kept = packets[:end], packets[end + 1 :]
        is_refused = packets[:1] and packets[0].startswith("44")
        return packets if is_refused else [f'40{namespace},{{"sid":"s"}}', *packets]


def _of_turn(said: Sequence[Any], turn: int) -> Any:
    return said[min(turn, len(said) - 1)] if said else None


def _packet(said: Said, namespace: str) -> str:
    if isinstance(said, str):
        return said.replace("{ns}", namespace)
    return f"42{namespace},{json.dumps(said)}"


@asynccontextmanager
async def odd_server(
    rooms: Sequence[Sequence[Said]] = (),
    silence_seconds: float = SILENCE_SECONDS,
    /,
    **answers: Sequence[str],
) -> AsyncIterator[tuple[str, OddServer]]:
    """Such a server and its URL."""
    server = OddServer(rooms, answers, silence_seconds)
    app = web.Application()
    app.router.add_get("/socket.io/", server.listen)
    async with serve_app(app) as url:
        yield url, server
