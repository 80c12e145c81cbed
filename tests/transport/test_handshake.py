import ipaddress
import json

import aiohttp
import pytest

from server.transport.limits import PING_INTERVAL_SECONDS, Rate
from tests.transport.conftest import ConnectRaw, StartServer
from tests.transport.echo_server import Server

WEBSOCKET = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}
PATH = "/socket.io/?EIO=4&transport=websocket"


async def refusal(
    server: Server, path: str = PATH, headers: dict[str, str] | None = None, method: str = "GET"
) -> tuple[int, str]:
    """The status and the code of a refused handshake."""
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, server.url + path, headers=headers) as response,
    ):
        assert response.content_type == "application/problem+json"
        body = json.loads(await response.text())
        assert set(body) == {"type", "title", "status", "detail", "code"}
        assert body["status"] == response.status
        return response.status, body["code"]


async def is_let_in(server: Server, **headers: str) -> bool:
    async with aiohttp.ClientSession() as http:
        try:
            async with http.ws_connect(server.url + PATH, headers=headers):
                return True
        except aiohttp.WSServerHandshakeError:
            return False


@pytest.mark.parametrize(
    ("path", "headers", "method"),
    [
        ("/socket.io/?EIO=4&transport=polling", None, "GET"),
        ("/socket.io/?EIO=4&transport=polling", None, "POST"),
        ("/socket.io/?EIO=4&transport=polling", None, "OPTIONS"),
        ("/socket.io/?EIO=3&transport=polling", None, "GET"),
        ("/socket.io/", None, "GET"),
        ("/socket.io/?EIO=4&transport=polling&sid=abc", None, "GET"),
        ("/socket.io/?EIO=4&transport=polling&sid=abc%0d%0aX", None, "POST"),
        (PATH, None, "GET"),
        (PATH + "&sid=abc", WEBSOCKET, "GET"),
        ("/socket.io/?EIO=4&transport=polling", WEBSOCKET, "GET"),
        (PATH, {**WEBSOCKET, "Sec-WebSocket-Key": "short"}, "GET"),
    ],
)
async def test_whatever_is_no_websocket_handshake_gets_websocket_only(
    server: Server, path: str, headers: dict[str, str] | None, method: str
) -> None:
    assert await refusal(server, path, headers, method) == (400, "websocket_only")


@pytest.mark.parametrize("version", ["8", "7", "12", "14", "", "x", "13, 8", None])
async def test_another_version_of_websockets_is_answered_with_the_right_one(
    server: Server, version: str | None
) -> None:
    headers = WEBSOCKET | ({} if version is None else {"Sec-WebSocket-Version": version})
    if version is None:
        del headers["Sec-WebSocket-Version"]
    async with (
        aiohttp.ClientSession() as http,
        http.get(server.url + PATH, headers=headers) as response,
    ):
        assert response.status == 426
        assert response.headers["Sec-WebSocket-Version"] == "13"
        body = json.loads(await response.text())
        assert (body["status"], body["code"]) == (426, "websocket_only")


async def test_another_engine_io_version_is_refused(server: Server) -> None:
    path = "/socket.io/?EIO=3&transport=websocket"

    assert await refusal(server, path, WEBSOCKET) == (400, "invalid_message")


async def test_the_open_packet_has_the_limits_that_hold(
    start_server: StartServer, connect_raw: ConnectRaw
) -> None:
    server = await start_server(ping_interval_seconds=PING_INTERVAL_SECONDS)
    client = await connect_raw(server)

    assert client.opened["pingInterval"] + client.opened["pingTimeout"] <= 10_000
    assert client.opened["maxPayload"] == 16_384
    assert client.opened["upgrades"] == []


async def test_compression_is_not_offered(server: Server, connect_raw: ConnectRaw) -> None:
    client = await connect_raw(server, "Sec-WebSocket-Extensions: permessage-deflate\r\n")

    assert "permessage-deflate" not in client.response_head


async def test_only_the_servers_own_origin_is_let_in_by_default(server: Server) -> None:
    assert await is_let_in(server)
    assert await is_let_in(server, Origin=server.url)
    assert not await is_let_in(server, Origin="http://elsewhere.example")
    assert not await is_let_in(server, Origin="null")
    assert await is_let_in(server, Host="play.example:80", Origin="HTTP://Play.example")
    assert not await is_let_in(server, Host="play.example:8080", Origin="http://play.example")


async def test_forwarded_headers_do_not_widen_the_own_origin(server: Server) -> None:
    forged = {
        "Origin": "http://evil.example",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "http",
        "Forwarded": "host=evil.example",
    }

    assert not await is_let_in(server, **forged)
    assert (await refusal(server, PATH, {**WEBSOCKET, **forged}))[0] == 400


async def test_only_the_listed_origins_are_let_in(start_server: StartServer) -> None:
    server = await start_server(allowed_origins=frozenset({"https://game.example"}))

    assert await is_let_in(server, Origin="https://game.example")
    assert await is_let_in(server, Origin="HTTPS://Game.example")
    assert not await is_let_in(server, Origin="https://game.example, https://game.example")
    assert not await is_let_in(server, Origin=server.url)


async def test_handshakes_of_one_address_are_limited(start_server: StartServer) -> None:
    server = await start_server(connects_by_address=Rate(0.001, 2))

    assert await is_let_in(server)
    assert await is_let_in(server)
    assert await refusal(server, PATH, WEBSOCKET) == (429, "rate_limited")


async def test_a_client_cannot_choose_the_address_it_is_limited_by(
    start_server: StartServer,
) -> None:
    server = await start_server(connects_by_address=Rate(0.001, 1))

    assert await is_let_in(server, **{"X-Forwarded-For": "192.0.2.1"})
    assert not await is_let_in(server, **{"X-Forwarded-For": "192.0.2.2"})


async def test_behind_trusted_proxies_the_right_most_other_address_is_limited(
    start_server: StartServer,
) -> None:
    trusted = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("10.0.0.0/8"))
    server = await start_server(connects_by_address=Rate(0.001, 1), trusted_proxies=trusted)

    assert await is_let_in(server, **{"X-Forwarded-For": "198.51.100.7, 192.0.2.1, 10.1.2.3"})
    assert await is_let_in(server, **{"X-Forwarded-For": "198.51.100.7, 192.0.2.2"})
    assert not await is_let_in(server, **{"X-Forwarded-For": "203.0.113.9, 192.0.2.1"})


async def test_more_sockets_than_allowed_are_refused(
    start_server: StartServer, connect_raw: ConnectRaw
) -> None:
    server = await start_server(max_sockets=2)
    await connect_raw(server)
    await connect_raw(server)

    assert await refusal(server, PATH, WEBSOCKET) == (503, "unavailable")


async def test_a_place_is_free_again_after_a_client_is_gone(
    start_server: StartServer, connect_raw: ConnectRaw
) -> None:
    server = await start_server(max_sockets=1)
    client = await connect_raw(server)
    client.send("1")
    await client.tcp_end()

    await connect_raw(server)


async def test_limits_of_zero_are_switched_off(
    start_server: StartServer, connect_raw: ConnectRaw
) -> None:
    server = await start_server(connects_by_address=Rate(0, 0), max_sockets=0)

    for _ in range(30):
        await connect_raw(server)


async def test_handshakes_are_refused_while_draining(server: Server) -> None:
    await server.gateway.drain(0)

    assert await refusal(server, PATH, WEBSOCKET) == (503, "draining")
