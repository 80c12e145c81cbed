"""python-socketio with its defaults, except for pings, on aiohttp and uvloop, with a namespace for
each room."""

from typing import Any

import socketio
from aiohttp import web

from tests.bench.fanout.servers.rounds import announce, play, run
from tests.bench.fanout.work import EVENT, NO_PING_SECONDS


async def serve() -> None:
    sio = socketio.AsyncServer(
        async_mode="aiohttp",
        namespaces="*",
        transports=["websocket"],
        ping_interval=NO_PING_SECONDS,
        ping_timeout=NO_PING_SECONDS,
    )
    app = web.Application()
    sio.attach(app)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1000).start()
    announce(runner.addresses[0][1])

    async def play_round(data: dict[str, Any]) -> None:
        for namespace in list(sio.manager.get_namespaces()):
            await sio.emit(EVENT, data, namespace=namespace)

    await play(play_round)


if __name__ == "__main__":
    run(serve)
