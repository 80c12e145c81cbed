"""A server that is stopped: what it still does, and what it leaves to the others."""

import asyncio

from aiohttp import web

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.support.game import starting_nodes
from tests.support.http import answers, serve_app
from tests.support.wait import until
from tests.system.conftest import READY, StartServe
from tests.system.game_server import game_server

LONG_ENOUGH_TO_CUT_IT_SECONDS = 0.5


async def test_a_request_in_flight_is_answered(
    start_serve: StartServe, issuer: DevIssuer, provider: DevProvider
) -> None:
    asked, allowed = asyncio.Event(), asyncio.Event()

    async def answer_late(_: web.Request) -> web.Response:
        asked.set()
        await allowed.wait()
        return web.json_response(issuer.jwks())

    keys = web.Application()
    keys.router.add_get("/", answer_late)
    async with serve_app(keys) as jwks_url, asyncio.TaskGroup() as group:
        process = start_serve(ALIEN_JWKS_URL=jwks_url)
        url = (await process.wait_for_line(READY))[1]
        async with game_server(url, issuer, provider) as server:
            joining = group.create_task(server.join("alice"))
            await asked.wait()
            process.terminate()
            await until(lambda: listens_no_more(server.port))
            await asyncio.sleep(LONG_ENOUGH_TO_CUT_IT_SECONDS)
            allowed.set()
            assert (await joining)["player_count"] == 1
        assert await process.wait() == 0


async def test_numbers_are_called_no_more_when_players_are_sent_away(
    start_serve: StartServe, issuer: DevIssuer, provider: DevProvider, store_url: str
) -> None:
    process = start_serve(CALL_INTERVAL_SECONDS="0.1", DRAIN_SECONDS="2")
    url = (await process.wait_for_line(READY))[1]
    async with (
        game_server(url, issuer, provider) as server,
        server.visitor("alice") as alice,
        server.visitor("bob") as bob,
        starting_nodes() as start,
    ):
        lobby_id = await server.seat("alice", "bob")
        for visitor in (alice, bob):
            await visitor.enter(lobby_id)
        await server.arrange(lobby_id, "alice", "bob")
        await alice.receives("number_called")
        process.terminate()
        await until(lambda: bool(alice.of("draining") or bob.of("draining")))
        node = await start(store_url)
        when_sent_away = await node.store.load(lobby_id)
        assert not await answers(f"{url}/health/ready")
        assert await process.wait() == 0
        assert await node.store.load(lobby_id) == when_sent_away


async def listens_no_more(port: int) -> bool:
    """Whether a connection to the server is refused."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return True
    writer.close()
    return False
