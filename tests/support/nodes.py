"""Fixtures: nodes on a real store, and a plain client to look into it."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from tests.support.game import Node, StartNode, starting_nodes
from tests.support.wait import TIMEOUT_SECONDS


@pytest.fixture
async def start_node() -> AsyncIterator[StartNode]:
    """Starts nodes; they are closed after the test."""
    async with starting_nodes() as start:
        yield start


@pytest.fixture
async def node(start_node: StartNode, store_url: str) -> Node:
    """A node on an empty store."""
    return await start_node(store_url)


@pytest.fixture
async def redis(store_url: str) -> AsyncIterator[Redis]:
    """A plain client of the store."""
    async with Redis.from_url(
        store_url, decode_responses=True, socket_timeout=TIMEOUT_SECONDS
    ) as client:
        yield client
