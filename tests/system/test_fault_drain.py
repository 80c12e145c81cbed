"""A server that is stopped: what it still does, and what it leaves to the others."""

import asyncio
import time

from aiohttp import web

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.outside.jwks import FETCH_SECONDS
from tests.support.game import starting_nodes
from tests.support.http import answers, serve_app
from tests.support.wait import until
from tests.system.conftest import READY, StartServe
from tests.system.game_server import BUY_IN, HttpAnswer, game_server

LONG_ENOUGH_TO_CUT_IT_SECONDS = 0.5
ATTEMPTS = 5
"""The server waits for the issuer for `FETCH_SECONDS`, in which a machine that pauses may not have
done all that is done meanwhile."""


async def test_a_request_in_flight_is_answered(
    start_serve: StartServe, issuer: DevIssuer, provider: DevProvider
) -> None:
    for _ in range(ATTEMPTS):
        answer, took_seconds = await asked_before_the_end(start_serve, issuer, provider)
        if answer.status == 200 or took_seconds < FETCH_SECONDS:
            break
    assert answer.status == 200, answer
    assert answer.body["player_count"] == 1


async def asked_before_the_end(
    start_serve: StartServe, issuer: DevIssuer, provider: DevProvider
) -> tuple[HttpAnswer, float]:
    """The answer to a request that a server is busy with while it is stopped, and how long that
    took."""
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
            asked_at_s = time.monotonic()
            payload = {"buy_in_amount": BUY_IN}
            joining = group.create_task(server.post("/api/game/join", "alice", payload))
            await asked.wait()
            process.terminate()
            await until(lambda: listens_no_more(server.port))
            await asyncio.sleep(LONG_ENOUGH_TO_CUT_IT_SECONDS)
            allowed.set()
            answer = await joining
            took_seconds = time.monotonic() - asked_at_s
        assert await process.wait() == 0
    return answer, took_seconds


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
