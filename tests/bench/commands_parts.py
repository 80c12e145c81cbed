"""What each part of a command costs the processor: the server's own functions, again and again."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, cast

import orjson

from protocol.errors import Refused
from protocol.from_client import ArrangeGrid
from protocol.ids import lobby_namespace
from protocol.to_client import ArrangeGridAnswer
from server.dev.issuer import Algorithm, DevIssuer
from server.outside.identity import Identity, IdentityVerifier
from server.outside.jwks import Jwks
from server.rules import commands
from server.rules.decide import decide
from server.rules.events import Event
from server.store.channels import Channels
from server.store.log import Snapshot, record
from server.store.projection import Projection
from server.transport.frames import text_frame
from server.transport.limits import SocketLimits
from server.transport.packets import Event as EventPacket
from server.transport.packets import ack_packet, parse_packet
from server.transport.parsing import parse_request
from server.transport.session import Session
from tests.support.game import BUY_IN, CLASSIC, LIFETIMES, TABLE, Node, starting_nodes
from tests.system.game_server import published_keys
from tests.transport.hall import Server
from tests.transport.raw import RawClient

SEATS: Final = 10
GRID: Final = ((1, 2, 3), (4, 5, 6), (7, 8, 9))
LASTING: Final = replace(CLASSIC, arranging_ms=3_600_000)
ROOM: Final = "/hall"

Costs = Mapping[str, float]
"""Microseconds of processor time, by what they are spent on."""


async def parts(store_url: str, times: int, at_once: int) -> Costs:
    """Of `arrange_grid` in a lobby of ten, the cost of each part, measured so many times. What goes
    to the store goes `at_once` together, as it does in a busy server."""
    async with starting_nodes() as start:
        node = await start(store_url, tiers={BUY_IN: LASTING})
        held = [await _full_lobby(node, f"lobby-{number}") for number in range(at_once)]
        return {
            **_reading(held[0], times),
            **await _verifying(times),
            **await _loading(node, held, times),
            **_deciding(held[0], times),
            **await _committing(node, held),
            **await _telling(times),
        }


async def _full_lobby(node: Node, name: str) -> Snapshot:
    seats = await node.seat(*(f"{name}-{seat}" for seat in range(SEATS)))
    return await node.store.load(seats[0].lobby.lobby_id)


def _reading(held: Snapshot, times: int) -> Costs:
    assert held.lobby is not None
    message = orjson.dumps(["arrange_grid", {"grid": GRID}]).decode()
    text = f"2{lobby_namespace(held.lobby.lobby_id)},17{message}"
    packet = parse_packet(text)
    assert isinstance(packet, EventPacket)
    return {
        "read the packet": _cpu_us(lambda: parse_packet(text), times),
        "read the request in it": _cpu_us(
            lambda: parse_request(ArrangeGrid, packet.args[0], "player"), times
        ),
    }


async def _verifying(times: int) -> Costs:
    issuer = DevIssuer("https://issuer.test", "provider")
    async with published_keys(issuer) as jwks_url:
        keys = Jwks(url=jwks_url, ttl_seconds=600, cooldown_seconds=30)
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
            f"verify a token, {name}": await _awaited_cpu_us(partial(verify, token), times)
            for name, token in tokens.items()
        }
        await keys.close()
        return costs


async def _loading(node: Node, held: Sequence[Snapshot], times: int) -> Costs:
    lobby_ids = [snapshot.lobby.lobby_id for snapshot in held if snapshot.lobby is not None]

    async def load_all() -> None:
        await asyncio.gather(*map(node.store.load, lobby_ids))

    each_us = await _awaited_cpu_us(load_all, times // len(held) + 1) / len(held)
    return {"load a lobby that is not held": each_us}


def _deciding(held: Snapshot, times: int) -> Costs:
    assert held.lobby is not None
    lobby, at = held.lobby, held.head.at
    events = _arranges(held, seat=0)
    projection = Projection(LIFETIMES, 0, Channels())
    command = commands.ArrangeGrid(next(iter(lobby.players)), GRID)
    return {
        "decide": _cpu_us(lambda: decide(lobby, command, at), times),
        "write the record, and what follows from it": _cpu_us(
            lambda: list(projection.writes(held, record(held, events, at), TABLE)), times
        ),
    }


async def _committing(node: Node, held: Sequence[Snapshot]) -> Costs:
    """All players of all lobbies arrange, one of each lobby at a time."""
    spent_us = 0.0
    for seat in range(SEATS):
        events = [_arranges(snapshot, seat) for snapshot in held]
        now_ms = node.clock.now_ms()
        begun_ns = time.process_time_ns()
        done = await asyncio.gather(
            *(node.store.commit(*before, now_ms) for before in zip(held, events, strict=True))
        )
        spent_us += (time.process_time_ns() - begun_ns) / 1000
        held = [after for after, _ in filter(None, done)]
    return {"that, and commit it": spent_us / SEATS / len(held)}


def _arranges(held: Snapshot, seat: int) -> Sequence[Event]:
    assert held.lobby is not None
    alien_id = list(held.lobby.players)[seat]
    events = decide(held.lobby, commands.ArrangeGrid(alien_id, GRID), held.head.at)
    assert not isinstance(events, Refused), events
    return events


async def _telling(times: int) -> Costs:
    """Written to sockets of this process, which are read between the turns."""
    server = Server(SocketLimits())
    await server.start()
    clients = [await RawClient.connect(server.port) for _ in range(SEATS)]
    for client in clients:
        await client.join(ROOM, "player")
        await client.packet()  # the welcome
    ready = {"seq": 1, "at": 1.5, "alien_id": "player", "player_count": SEATS, "pot": 70_000}

    def push() -> None:
        server.rooms.broadcast(ROOM, "player_ready", orjson.dumps(ready))

    costs = {
        "push to a room of ten": await _cpu_us_of_writing(push, clients, times),
        "acknowledge": await _cpu_us_of_writing(
            partial(_acknowledge, server.hall.inside[0].session), clients[:1], times
        ),
    }
    for client in clients:
        await client.close()
    await server.stop()
    return costs


def _acknowledge(session: Session) -> None:
    answer = ArrangeGridAnswer(grid=[list(row) for row in GRID]).model_dump()
    session.write(text_frame(ack_packet(ROOM, 17, answer)))


def _cpu_us(do: Callable[[], object], times: int) -> float:
    begun_ns = time.process_time_ns()
    for _ in range(times):
        do()
    return (time.process_time_ns() - begun_ns) / 1000 / times


async def _awaited_cpu_us(do: Callable[[], Awaitable[None]], times: int) -> float:
    begun_ns = time.process_time_ns()
    for _ in range(times):
        await do()
    return (time.process_time_ns() - begun_ns) / 1000 / times


async def _cpu_us_of_writing(
    write: Callable[[], None], clients: Sequence[RawClient], times: int
) -> float:
    readers = [cast(asyncio.Transport, client.writer.transport) for client in clients]
    spent_us = 0.0
    for _ in range(times):
        for reader in readers:
            reader.pause_reading()
        begun_ns = time.process_time_ns()
        write()
        await asyncio.sleep(0)  # uvloop sends at the end of its turn
        spent_us += (time.process_time_ns() - begun_ns) / 1000
        for reader, client in zip(readers, clients, strict=True):
            reader.resume_reading()
            await client.packet()
    return spent_us / times
