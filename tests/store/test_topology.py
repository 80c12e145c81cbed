"""A name with several addresses: the primary's is found, whatever is behind the others."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from redis.asyncio import Redis

from server.dev.ports import free_port
from server.dev.store import EmbeddedStore
from server.runtime.store_url import Address
from server.store.errors import LOST, StoreUnavailable
from server.store.timings import TIMINGS
from server.store.topology import Place, PlainShard
from tests.support.proxy import Proxy
from tests.support.replication import address, replica_of


class Name(PlainShard):
    """A name that has these addresses."""

    def __init__(self, *ports: int) -> None:
        super().__init__("redis://store.test/0", replace(TIMINGS, command_seconds=16))
        self._places = [Place("store.test", Address("127.0.0.1", port)) for port in ports]

    async def places(self) -> Sequence[Place]:
        """All of them."""
        return self._places


async def is_reached(store: EmbeddedStore, name: Name) -> bool:
    """Whether a connection by that name leads to the store."""
    connection = await name.connect()
    try:
        await connection.send_command("INFO", "server")
        about = str(await connection.read_response())
    finally:
        await connection.disconnect()
        await name.stop()
    async with Redis.from_url(store.url) as redis:
        return f"run_id:{(await redis.info('server'))['run_id']}" in about


async def test_an_address_where_nobody_is_does_not_matter(own_store: EmbeddedStore) -> None:
    assert await is_reached(own_store, Name(free_port(), address(own_store.url)[1]))


async def test_an_address_that_does_not_answer_does_not_matter(own_store: EmbeddedStore) -> None:
    async with Proxy(own_store.url) as hanging:
        hanging.silent = True
        name = Name(address(hanging.url)[1], address(own_store.url)[1])
        assert await is_reached(own_store, name)


async def test_the_address_of_a_replica_does_not_matter(
    own_store: EmbeddedStore, tmp_path: Path
) -> None:
    with replica_of(own_store, tmp_path / "replica") as replica:
        name = Name(address(replica.url)[1], address(own_store.url)[1])
        assert await is_reached(own_store, name)
        alone = Name(address(replica.url)[1], free_port())
        with pytest.raises((StoreUnavailable, *LOST)):
            await alone.connect()
        await alone.stop()


async def test_a_name_is_resolved_to_all_of_its_addresses() -> None:
    loop = asyncio.get_running_loop()
    shard = PlainShard("redis://localhost:7000/0")
    found = {str(place) for place in await shard.places()}
    answers = await loop.getaddrinfo("localhost", 7000)
    assert found == {str(Address(*answer[4][:2])) for answer in answers}
    await shard.stop()
