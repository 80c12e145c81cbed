"""How many connections one player may have."""

import pytest

from tests.support.wait import until
from tests.transport.conftest import ConnectRaw, StartServer
from tests.transport.echo_server import Server
from tests.transport.raw import RawClient
from tests.transport.test_joining import refusal


async def crowd(server: Server, connect_raw: ConnectRaw, name: str, size: int) -> list[RawClient]:
    """Connections of one player, all joined."""
    clients = [await connect_raw(server) for _ in range(size)]
    for client in clients:
        assert (await client.join("/echo", name)).startswith("40/echo,")
        await client.packet()
    return clients


async def test_a_ninth_connection_of_a_player_is_refused_and_no_other_player_is(
    server: Server, connect_raw: ConnectRaw
) -> None:
    await crowd(server, connect_raw, "alice", 8)
    ninth = await connect_raw(server)
    for _ in range(4):  # none of which is the client's fault
        assert refusal(await ninth.join("/echo", "alice"), "/echo")["code"] == "rate_limited"
    assert (await ninth.join("/echo", "bob")).startswith("40/echo,")


async def test_further_namespaces_of_a_connection_count_no_more(
    start_server: StartServer, connect_raw: ConnectRaw
) -> None:
    server = await start_server(sockets_per_player=1)
    (client,) = await crowd(server, connect_raw, "alice", 1)
    assert (await client.join("/echo-2", "alice")).startswith("40/echo-2,")


@pytest.mark.parametrize("polite", [True, False])
async def test_a_connection_that_ended_counts_no_more(
    start_server: StartServer, connect_raw: ConnectRaw, polite: bool
) -> None:
    server = await start_server(sockets_per_player=2)
    first, _ = await crowd(server, connect_raw, "alice", 2)
    if polite:
        first.send("1")
    else:
        first.reset()
    await until(lambda: len(server.gateway.eio.sockets) == 1)
    await crowd(server, connect_raw, "alice", 1)


async def test_a_connection_that_joined_nothing_counts_for_nobody(
    start_server: StartServer, connect_raw: ConnectRaw
) -> None:
    server = await start_server(sockets_per_player=1)
    client = await connect_raw(server)
    for namespace in ("/echo-full", "/echo-away", "/echo-bug"):
        assert (await client.join(namespace, "alice")).startswith("44")
    await crowd(server, connect_raw, "alice", 1)


async def test_connections_that_join_at_the_same_time_are_counted(
    start_server: StartServer, connect_raw: ConnectRaw
) -> None:
    server = await start_server(sockets_per_player=1)
    clients = [await connect_raw(server) for _ in range(3)]
    for client in clients:
        client.send('40/echo-slow,{"token":"alice"}')
    await server.echo.admitting.wait()
    server.echo.open.set()
    heads = sorted([(await client.packet())[:2] for client in clients])
    assert heads == ["40", "44", "44"]


async def test_0_is_no_limit(start_server: StartServer, connect_raw: ConnectRaw) -> None:
    server = await start_server(sockets_per_player=0)
    await crowd(server, connect_raw, "alice", 30)
