"""One participant's connection, on a server that sends an event too late."""

from typing import Any, Final

from aiohttp import web

from server.load.dialer import Dialer
from server.load.meter import Meter
from server.load.target import Target
from tests.support.http import serve_app
from tests.support.wait import until

OPEN: Final = '0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000}'
ANSWERS: Final = {
    "40/left": ['40/left,{"sid":"1"}'],
    "40/joined": [
        '42/left,["player_left",{"seq":7}]',
        '40/joined,{"sid":"2"}',
        '42/left,["player_left",{"seq":8}]',
        '42/joined,["player_left",{"seq":1}]',
    ],
}


async def listen(request: web.Request) -> web.WebSocketResponse:
    """Serve one connection."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.send_str(OPEN)
    async for message in socket:
        for answer in ANSWERS.get(str(message.data).partition(",")[0], ()):
            await socket.send_str(answer)
    return socket


async def test_an_event_of_what_was_left_is_misrouted_only_after_the_next_join() -> None:
    app, meter = web.Application(), Meter()
    app.router.add_get("/socket.io/", listen)
    received: list[tuple[str, dict[str, Any]]] = []
    async with serve_app(app) as url:
        connection = await Dialer(Target.resolve(url), meter).dial()
        await connection.enter("/left", {})
        await connection.enter("/joined", {}, lambda *event: received.append(event))
        await until(lambda: bool(received))
        connection.close()
    assert received == [("player_left", {"seq": 1})]
    assert meter.take().counts["misrouted"] == 1
