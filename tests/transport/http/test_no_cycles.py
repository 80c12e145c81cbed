"""A request that is over is gone without the garbage collector, which hardly ever comes by."""

from collections.abc import Iterator

import pytest
from aiohttp import web

from tests.support import garbage
from tests.support.wait import until
from tests.system.game_server import GameServer

REQUESTS = 10


@pytest.fixture
def no_collector() -> Iterator[None]:
    with garbage.no_collector():
        yield


def alive() -> int:
    return garbage.alive(web.Request)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/health"),
        ("GET", "/nowhere"),
        ("DELETE", "/health"),
        ("POST", "/api/game/join"),
        ("POST", "/api/webhooks/payment"),
        ("GET", "/socket.io/?EIO=4&transport=polling"),
    ],
)
@pytest.mark.usefixtures("no_collector")
async def test_nothing_of_a_request_waits_for_the_collector(
    game: GameServer, method: str, path: str
) -> None:
    await game.request(method, path)
    before = alive()

    for _ in range(REQUESTS):
        await game.request(method, path)

    await until(lambda: alive() <= before)
