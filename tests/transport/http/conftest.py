"""A server to send requests to."""

from collections.abc import AsyncIterator

import pytest

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.system.game_server import GameServer, running_app


@pytest.fixture
async def game(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> AsyncIterator[GameServer]:
    """A server where two fill a lobby, and no number is called unless the test asks for it."""
    async with running_app(store_url, issuer, provider) as game:
        yield game
