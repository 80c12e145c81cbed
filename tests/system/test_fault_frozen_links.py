"""A server whose links to the store died silently: what its clients receive."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from tests.support.wait import until
from tests.system.conftest import Serve
from tests.system.faults.follower import Follower
from tests.system.faults.links import Links


@pytest.fixture
async def store_links(store_url: str) -> AsyncIterator[Links]:
    """The links of a server to its store."""
    where = urlsplit(store_url)
    target = (where.hostname or "", where.port or 0)
    async with Links(lambda: [target]) as links:
        yield links


async def test_a_client_ahead_of_a_server_without_links_receives_the_rest_there_and_nothing_twice(
    serve: Serve, store_links: Links
) -> None:
    connected = await serve()
    cut_off = await serve(REDIS_URL=f"redis://{store_links.address}/0")
    lobby_id = await connected.seat("alice", "bob")
    async with connected.visitor("carol") as carol, cut_off.visitor("dave") as dave:
        await carol.enter(lobby_id)
        await dave.enter(lobby_id)
        store_links.freeze()
        await connected.arrange(lobby_id, "alice")
        known = await carol.receives("player_ready", alien_id="alice")

        token = connected.issuer.token("carol")
        async with Follower(cut_off.url, token, lobby_id, last_seq=known["seq"]) as moved:
            await until(lambda: moved.visits > 0)
            await connected.arrange(lobby_id, "bob")
            active = await carol.receives("status_changed", status="active")
            await until(lambda: any(data == active for _, data in moved.received))
            assert [name for name, _ in moved.received] == ["player_ready", "status_changed"]
            assert moved.visits == 1

        # Those who stayed were only late.
        await dave.receives("status_changed", status="active")
        assert dave.seqs == carol.seqs
