"""The least work in Python: a frame made beforehand and one `transport.write` for each socket, in a
WebSocket server that can do nothing else."""

import asyncio
import base64
import hashlib
from collections import defaultdict
from functools import cache
from typing import Any, cast

from tests.bench.fanout.servers.rounds import announce, play, run
from tests.bench.fanout.work import socketio_frame

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3

rooms: defaultdict[str, list[asyncio.Transport]] = defaultdict(list)
ready_frame = cache(socketio_frame)


class Connection(asyncio.Protocol):
    """Upgrades whatever the request; its path is the room. What comes afterwards is ignored."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._upgraded = False

    def data_received(self, data: bytes) -> None:
        if self._upgraded:
            return
        self._upgraded = True
        request, *headers = data.split(b"\r\n")
        key = next(h.partition(b": ")[2] for h in headers if h.startswith(b"Sec-WebSocket-Key"))
        accept = base64.b64encode(hashlib.sha1(key + _GUID).digest())  # noqa: S324 - RFC 6455
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: %b\r\n\r\n" % accept
        )
        rooms[request.split()[1].decode()].append(self._transport)


async def play_round(data: dict[str, Any]) -> None:
    for room, transports in rooms.items():
        frame = ready_frame(room, data["seq"] - 1000)
        for transport in transports:
            transport.write(frame)


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(
        Connection, "127.0.0.1", 0, backlog=1000
    )
    announce(server.sockets[0].getsockname()[1])
    await play(play_round)


if __name__ == "__main__":
    run(serve)
