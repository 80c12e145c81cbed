"""Books, and what moves into them and is paid from them."""

from collections.abc import AsyncIterator
from functools import partial

import pytest
from redis.asyncio import Redis

from server.books.engine import Books, open_books
from server.dev.payout_service import DevPayoutService
from tests.services.archives import Archives, archive_over
from tests.services.ordering import OTHER
from tests.services.payout_world import PayoutWorld, payout_world
from tests.support.game import BUY_IN, CLASSIC, Node, StartNode


@pytest.fixture
async def books(books_url: str) -> AsyncIterator[Books]:
    """Books with nothing in them."""
    async with open_books(books_url) as found:
        yield found


@pytest.fixture
def archive_of(node: Node, books: Books) -> Archives:
    """Archives of the node's store, which keep nothing for longer than they have to."""
    return partial(archive_over, node, books)


@pytest.fixture
async def nodes(start_node: StartNode, store_url: str) -> tuple[Node, Node]:
    """Two nodes of two tiers."""
    tiers = {BUY_IN: CLASSIC, OTHER: CLASSIC}
    return await start_node(store_url, tiers=tiers), await start_node(store_url, tiers=tiers)


@pytest.fixture
def service() -> DevPayoutService:
    """A payment service that pays at once."""
    return DevPayoutService(pays_after_seconds=0, late_seconds=2)


@pytest.fixture
async def world(
    start_node: StartNode,
    store_url: str,
    books_url: str,
    redis: Redis,
    service: DevPayoutService,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[PayoutWorld]:
    """Payouts by that service. A worker that is held up keeps what it has taken."""
    for module in ("payouts", "payout_queue"):
        monkeypatch.setattr(f"server.services.{module}.LEASE_SECONDS", 60.0)
    async with payout_world(start_node, store_url, books_url, redis, service) as made:
        yield made
