"""The processor time of a command in the transport: to read it, to answer it, to send its event to
the room."""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, cast

import orjson

from protocol.from_client import ArrangeGrid
from protocol.to_client import ArrangeGridAnswer
from server.dev.issuer import Algorithm, DevIssuer
from server.outside.identity import Identity, IdentityVerifier
from server.outside.jwks import Jwks
from server.transport.commands import parse_request
from server.transport.frames import text_frame
from server.transport.limits import SocketLimits
from server.transport.packets import Event, ack_packet, parse_packet
from server.transport.session import Session
from tests.bench.commands.cpu_cost import Costs, awaited_cpu_us, cpu_us
from tests.bench.commands.store_parts import GRID, SEATS
from tests.system.game_server import published_keys
from tests.transport.echo_server import Server
from tests.transport.raw import RawClient

ROOM: Final = "/echo"


async def socket_parts(times: int) -> Costs:
    """Of `arrange_grid` in a room of ten, each the mean of so many times; and of a connect, the
    check of its token."""
    return {**_reading(times), **await _verifying(times), **await _writing(times)}


def _reading(times: int) -> Costs:
    message = orjson.dumps(["arrange_grid", {"grid": GRID}]).decode()
    text = f"2/lobby_3500_1f9c2ab4d0e1,17{message}"
    packet = parse_packet(text)
    assert isinstance(packet, Event)
    return {
        "read the packet": cpu_us(lambda: parse_packet(text), times),
        "read the request in it": cpu_us(
            lambda: parse_request(ArrangeGrid, packet.args[0], "player"), times
        ),
    }


async def _verifying(times: int) -> Costs:
    issuer = DevIssuer("https://issuer.test", "provider")
    async with published_keys(issuer) as jwks_url:
        keys = Jwks(url=jwks_url, ttl_seconds=600, cooldown_seconds=30, fetch_seconds=60)
        verifier = IdentityVerifier(
            keys=keys,
            issuer=issuer.issuer,
            audience=issuer.audience,
            token_max_seconds=86_400,
            leeway_seconds=0,
            now_s=time.time,
        )

        async def verify(token: str) -> None:
            assert isinstance(await verifier.verify(token), Identity)

        algorithms: Sequence[Algorithm] = ("EdDSA", "RS256")
        tokens = {name: issuer.token("player", algorithm=name) for name in algorithms}
        await verify(tokens["EdDSA"])  # which fetches the keys
        costs = {
            f"verify a token, {name}": await awaited_cpu_us(partial(verify, token), times)
            for name, token in tokens.items()
        }
        await keys.close()
        return costs


async def _writing(times: int) -> Costs:
    """To sockets whose other ends are this process's too: they are read when no time is taken."""
    server = Server(SocketLimits(sockets_per_player=0))
    await server.start()
    clients = [await RawClient.connect(server.port) for _ in range(SEATS)]
    for client in clients:
        await client.join(ROOM, "player")
        await client.packet()  # the welcome
    ready = {"seq": 1, "at": 1.5, "alien_id": "player", "player_count": SEATS, "pot": 70_000}

    def push() -> None:
        server.rooms.broadcast(ROOM, "player_ready", orjson.dumps(ready))

    costs = {
        "push to a room of ten": await _written_cpu_us(push, clients, times),
        "acknowledge": await _written_cpu_us(
            partial(_acknowledge, server.echo.inside[0].session), clients[:1], times
        ),
    }
    for client in clients:
        await client.close()
    await server.stop()
    return costs


def _acknowledge(session: Session) -> None:
    answer = ArrangeGridAnswer(grid=[list(row) for row in GRID]).model_dump()
    session.write(text_frame(ack_packet(ROOM, 17, answer)))


async def _written_cpu_us(
    write: Callable[[], None], clients: Sequence[RawClient], times: int
) -> float:
    readers = [cast(asyncio.Transport, client.writer.transport) for client in clients]
    total_us = 0.0
    for _ in range(times):
        for reader in readers:
            reader.pause_reading()
        begun_ns = time.process_time_ns()
        write()
        await asyncio.sleep(0)  # uvloop sends at the end of its turn
        total_us += (time.process_time_ns() - begun_ns) / 1000
        for reader, client in zip(readers, clients, strict=True):
            reader.resume_reading()
            await client.packet()
    return total_us / times
