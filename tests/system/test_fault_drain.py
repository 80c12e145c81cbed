"""A server that is told to end: what it still does, and what it leaves to the others."""

import asyncio
import os
import signal

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from tests.support.game import starting_nodes
from tests.support.http import answers
from tests.support.wait import until
from tests.system.conftest import StartServe
from tests.system.game_server import game_server

READY = r'"url": "(http://[^"]+)"'


async def test_a_request_in_flight_is_answered(
    start_serve: StartServe, own_store: EmbeddedStore, issuer: DevIssuer
) -> None:
    process = start_serve(REDIS_URL=own_store.url)
    host, _, port = (await process.wait_for_line(READY))[1].removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    body = b'{"buy_in_amount": 3500}'
    head = [
        "POST /api/game/join HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {issuer.token('alice')}",
        f"Content-Length: {len(body)}",
        "Expect: 100-continue",
    ]
    os.kill(own_store.pid, signal.SIGSTOP)
    writer.write("\r\n".join([*head, "", ""]).encode())
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(body)
    process.terminate()
    os.kill(own_store.pid, signal.SIGCONT)
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    assert await process.wait() == 0
    writer.close()


async def test_numbers_are_called_no_more_when_players_are_sent_away(
    start_serve: StartServe, issuer: DevIssuer, provider: DevProvider, store_url: str
) -> None:
    process = start_serve(CALL_INTERVAL_SECONDS="0.02", DRAIN_SECONDS="2")
    url = (await process.wait_for_line(READY))[1]
    async with (
        game_server(url, issuer, provider) as server,
        server.visitor("alice") as alice,
        server.visitor("bob") as bob,
        starting_nodes() as start,
    ):
        lobby_id = await server.ready("alice", "bob")
        for visitor in (alice, bob):
            await visitor.enter(lobby_id)
        await alice.hears("number_called")
        process.terminate()
        await until(lambda: bool(alice.of("draining") or bob.of("draining")))
        node = await start(store_url)
        when_sent_away = await node.store.load(lobby_id)
        assert not await answers(f"{url}/health/ready")
        assert await process.wait() == 0
        assert await node.store.load(lobby_id) == when_sent_away
