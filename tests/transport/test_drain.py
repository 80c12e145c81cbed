import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import socketio

from server.transport.close_notification import RETRY_AFTER_MS
from server.transport.close_reason import CloseReason
from tests.support.wait import TIMEOUT_SECONDS
from tests.transport.conftest import ConnectRaw
from tests.transport.echo_server import Server


async def test_everyone_is_notified_and_then_disconnected(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await connect_raw(server)
    for namespace in ("/echo-1", "/echo-2"):
        await client.join(namespace, "alice")
        await client.packet()

    await server.gateway.drain(0)

    packets = await client.tcp_end()
    assert len(packets) == 2
    for packet, namespace in zip(packets, ("/echo-1", "/echo-2"), strict=True):
        event, data = json.loads(packet.removeprefix(f"42{namespace},"))
        assert event == "draining"
        assert data.keys() == {"retry_after_ms"}
    assert client.close_code == 1012
    assert server.counts.ended[CloseReason.DRAINING] == 1


async def test_a_stock_client_sees_a_connection_that_ended_and_not_a_dismissal(
    server: Server, stock_client: Callable[[], socketio.AsyncClient]
) -> None:
    client = stock_client()
    seen: list[Any] = []
    client.on("draining", seen.append, namespace="/echo")
    client.on("disconnect", seen.append, namespace="/echo")
    await client.connect(
        server.url, transports=["websocket"], namespaces=["/echo"], auth={"token": "alice"}
    )

    await server.gateway.drain(0)
    await client.wait()

    assert seen[0].keys() == {"retry_after_ms"}
    assert seen[1] != socketio.AsyncClient.reason.SERVER_DISCONNECT


async def test_a_drain_is_spread_evenly_over_its_time(
    server: Server, connect_raw: ConnectRaw
) -> None:
    clients = [await connect_raw(server) for _ in range(10)]
    for number, client in enumerate(clients):
        await client.join("/echo", f"player-{number}")
    ends: list[float] = []
    start = time.monotonic()

    async def watch(client: Any) -> None:
        await client.packet()
        while not (await client.packet()).startswith('42/echo,["draining"'):
            pass
        ends.append(time.monotonic() - start)

    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(watch(client))
        group.create_task(server.gateway.drain(3))

    for position, end in enumerate(sorted(ends)):
        assert end >= position * 0.3 - 0.05


async def test_those_who_are_drained_together_are_asked_to_reconnect_apart(
    server: Server, connect_raw: ConnectRaw
) -> None:
    clients = [await connect_raw(server) for _ in range(20)]
    for number, client in enumerate(clients):
        await client.join("/echo", f"player-{number}")
        await client.packet()

    await server.gateway.drain(0)

    asked_ms = set()
    for client in clients:
        (packet,) = await client.tcp_end()
        asked_ms.add(json.loads(packet.removeprefix("42/echo,"))[1]["retry_after_ms"])
    assert len(asked_ms) > 10
    assert asked_ms <= set(RETRY_AFTER_MS)


async def test_connects_are_refused_while_draining(server: Server, connect_raw: ConnectRaw) -> None:
    first, last = await connect_raw(server), await connect_raw(server)
    draining = asyncio.create_task(server.gateway.drain(2 * TIMEOUT_SECONDS))
    assert (await first.frame())[0] == 0x8

    packet = await last.join("/echo", "alice")
    draining.cancel()

    assert json.loads(packet.removeprefix("44/echo,"))["data"]["code"] == "draining"


async def test_a_drain_returns_when_the_last_connection_is_gone(
    server: Server, connect_raw: ConnectRaw
) -> None:
    for _ in range(5):
        await connect_raw(server)

    async with asyncio.timeout(TIMEOUT_SECONDS):
        await server.gateway.drain(0)

    assert server.gateway.eio.sockets == {}


async def test_a_server_without_connections_drains_at_once(server: Server) -> None:
    async with asyncio.timeout(TIMEOUT_SECONDS):
        await server.gateway.drain(2 * TIMEOUT_SECONDS)
