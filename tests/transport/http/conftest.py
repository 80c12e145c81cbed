"""A server to send requests to."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.system.game_server import GameServer, running_app
from tests.transport.http.operating import OPS_TOKENS
from tests.transport.http.payment_desk import PaymentDesk, open_desk


@pytest.fixture
async def game(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> AsyncIterator[GameServer]:
    """A server where two fill a lobby, and no number is called unless the test asks for it."""
    async with running_app(store_url, issuer, provider) as game:
        yield game


@pytest.fixture
async def desk(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> AsyncIterator[PaymentDesk]:
    """Such a server, with a payment provider that can say anything to it."""
    async with open_desk(store_url, issuer, provider) as desk:
        yield desk


@pytest.fixture
async def servers(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> AsyncIterator[tuple[GameServer, GameServer]]:
    """Two servers with an operator of each role."""
    async with AsyncExitStack() as stack:
        one, two = [
            await stack.enter_async_context(
                running_app(store_url, issuer, provider, OPS_TOKENS=OPS_TOKENS, HTTP_RATE="0")
            )
            for _ in range(2)
        ]
        yield one, two
