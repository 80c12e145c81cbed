"""A server of fast games, with all that players need."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.assembly.app import App
from server.dev.compose import DevWorld


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest) -> DevWorld:
    """A world of fast games for two, in which any message rate will do. The parameter, if there is
    one, is the seconds between two calls."""
    interval = getattr(request, "param", "0.02")
    settings = {"PORT": "0", "MAX_PLAYERS": "2", "CALL_INTERVAL_SECONDS": interval}
    return DevWorld(tmp_path, settings | {"MESSAGE_RATE": "0"})


@pytest.fixture
async def app(world: DevWorld) -> AsyncIterator[App]:
    """The server, running."""
    async with world.running() as app:
        yield app
