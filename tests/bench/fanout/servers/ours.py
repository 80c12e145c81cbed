"""The transport of the game server, with a namespace handler that lets everyone in."""

import time
from collections.abc import Mapping
from typing import Any

import orjson
from aiohttp import web

from protocol.errors import Refused
from server.outside.identity import Identity
from server.transport.commands import Answer, Command
from server.transport.concurrency import PLAYERS_AT_ONCE, ConcurrencyLimiter
from server.transport.counts import Counts
from server.transport.gateway import Gateway
from server.transport.limits import Rate, RateByKey, SocketLimits
from server.transport.member import Member, Welcome
from server.transport.rooms import Rooms
from server.transport.token_check import TokenCheck
from server.transport.tokens import Tokens
from tests.bench.fanout.servers.rounds import announce, play, run
from tests.bench.fanout.work import EVENT, NO_PING_SECONDS

UNLIMITED = Rate(0, 0)


class OpenHandler:
    """Everyone may enter; nothing is sent and no command carried out."""

    def __init__(self) -> None:
        self.commands: Mapping[str, Command[Member, Any, Answer]] = {}

    async def admit(self, _member: Member, _auth: Mapping[str, Any]) -> Welcome | Refused:
        return lambda: None

    def left(self, _member: Member) -> None:
        """Nothing was kept."""


async def everyone(token: object) -> Identity | Refused:
    """Takes every token for the name of a player, and to be valid for a day."""
    return Identity(str(token), (time.time() + 86_400) * 1000)


def open_gateway(rooms: Rooms, counts: Counts) -> Gateway:
    """A gateway that limits nothing but what it keeps for slow clients."""
    handler = OpenHandler()
    check = TokenCheck(everyone, RateByKey(UNLIMITED, time.monotonic))
    return Gateway(
        handlers=lambda _namespace: handler,
        tokens=Tokens(check, lambda: time.time() * 1000),
        limits=SocketLimits(
            messages=UNLIMITED,
            connects_by_address=UNLIMITED,
            max_sockets=0,
            sockets_per_player=0,
            connect_timeout_seconds=NO_PING_SECONDS,
            ping_interval_seconds=NO_PING_SECONDS,
        ),
        rooms=rooms,
        counts=counts,
        limiter=ConcurrencyLimiter(PLAYERS_AT_ONCE),
    )


async def serve() -> None:
    rooms = Rooms()
    app = web.Application()
    open_gateway(rooms, Counts()).attach(app)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1000).start()
    announce(runner.addresses[0][1])

    async def play_round(data: dict[str, Any]) -> None:
        for namespace in list(rooms.rooms):
            rooms.broadcast(namespace, EVENT, orjson.dumps(data))

    await play(play_round)


if __name__ == "__main__":
    run(serve)
