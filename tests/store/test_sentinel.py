"""The primary that sentinels name, whatever one of them says and whichever are away."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from server.dev.ports import free_port
from server.dev.store import EmbeddedStore
from server.runtime.store_url import Address
from server.store.errors import LOST, StoreUnavailable
from server.store.sentinel import SentinelShard
from server.store.timings import PATIENT
from tests.support.game import Node, StartNode
from tests.support.replication import address, ask, replica_of
from tests.support.sentinels import NAME, Sentinel, Sentinels, fail_over, sentinels
from tests.support.wait import until


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Sentinels]:
    """A primary, a replica, three sentinels, to whom a primary that is held up is not away."""
    with sentinels(tmp_path, f"sentinel down-after-milliseconds {NAME} 60000") as found:
        yield found


def shard_of(*ports: int, name: str = NAME) -> SentinelShard:
    return SentinelShard(
        "redis://127.0.0.1/0",
        [Address("127.0.0.1", port) for port in ports],
        name,
        timings=PATIENT,
    )


def leads_to(shard: SentinelShard, store: EmbeddedStore) -> bool:
    return shard.at == str(Address(*address(store.url)))


async def echoes(node: Node) -> bool:
    try:
        return bool(await node.connection.call("ECHO", "1") == "1")
    except StoreUnavailable:
        return False


async def test_a_switch_is_noticed_at_once_by_whoever_is_connected_and_the_old_one_left(
    watched: Sentinels, start_node: StartNode
) -> None:
    await watched.agree()
    node = await start_node(watched.url)
    old = await watched.primary()
    await until(lambda: node.subscription.alive)
    await node.sit("ann")
    await fail_over(watched)
    new = await watched.primary()
    assert new is not old

    async def is_there() -> bool:
        if not await echoes(node):
            return False
        there = await ask(new, "CLIENT", "LIST")
        listens = "sub=0" in str(there) and node.subscription.alive
        return listens and "cmd=echo" in str(there)

    await until(is_there)
    while True:  # as whoever is answered `unavailable`
        try:
            await node.seats.join("bob", 3500, "")
            break
        except StoreUnavailable:
            continue


async def test_sentinels_that_are_away_or_know_nothing_do_not_matter(
    own_store: EmbeddedStore,
) -> None:
    async with SaidSentinel(own_store, epoch=1) as sentinel:
        shard = shard_of(free_port(), sentinel.port, free_port())
        connection = await shard.connect()
        assert leads_to(shard, own_store)
        await connection.disconnect()
        await shard.stop()
    for ports in ([sentinel.port], [free_port(), free_port()]):
        shard = shard_of(*ports)
        with pytest.raises(StoreUnavailable):
            await shard.connect()
        await shard.stop()


async def test_a_sentinel_that_names_a_replica_is_not_believed(
    own_store: EmbeddedStore, tmp_path: Path
) -> None:
    with replica_of(own_store, tmp_path / "replica") as replica:
        liar, honest = SaidSentinel(replica, epoch=999), SaidSentinel(own_store, epoch=1)
        async with liar, honest:
            alone, shard = shard_of(liar.port), shard_of(liar.port, honest.port)
            connection = await alone.connect()  # the replica itself says of whom
            assert leads_to(alone, own_store)
            await connection.disconnect()
            await alone.stop()
            shard.start()
            connection = await shard.connect()
            moved: list[str] = []
            shard.on_moved(lambda: moved.append("moved"))
            asked_before = liar.asked
            await until(lambda: liar.asked > asked_before + 2)
            assert leads_to(shard, own_store)
            assert moved == []
            await connection.disconnect()
            await shard.stop()


async def test_of_two_primaries_the_one_of_the_later_fail_over_is_taken_and_kept(
    own_store: EmbeddedStore, shared_store: EmbeddedStore
) -> None:
    behind, right = SaidSentinel(own_store, epoch=1), SaidSentinel(shared_store, epoch=2)
    async with behind:
        shard = shard_of(behind.port, right.port)
        shard.start()
        connection = await shard.connect()
        assert leads_to(shard, own_store)
        async with right:  # it is back, and knows better
            await until(lambda: leads_to(shard, shared_store))
        asked_before = behind.asked
        await until(lambda: behind.asked > asked_before + 2)
        assert leads_to(shard, shared_store)
        await connection.disconnect()
        await shard.stop()


class SaidSentinel:
    """Speaks as a sentinel does, and names the primary that it is set to."""

    def __init__(self, named: EmbeddedStore, epoch: int) -> None:
        self.port = free_port()
        self.asked = 0
        self._port, self._epoch = address(named.url)[1], epoch
        self._talks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> "SaidSentinel":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.close()
        if self._talks:
            await asyncio.wait(self._talks, timeout=5)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        self._talks.add(asyncio.create_task(self._answer(reader, writer)))

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while header := await reader.readline():
            words = []
            for _ in range(int(header[1:])):
                length = int((await reader.readline())[1:])
                words.append((await reader.readexactly(length + 2))[:-2].decode().upper())
            if words[:2] == ["SENTINEL", "GET-MASTER-ADDR-BY-NAME"]:
                self.asked += 1
                writer.write(_array("127.0.0.1", str(self._port)))
            elif words[:2] == ["SENTINEL", "MASTER"]:
                writer.write(_array("name", NAME, "config-epoch", str(self._epoch)))
            elif words[0] != "SUBSCRIBE":
                writer.write(b"+OK\r\n")
        writer.close()
        await writer.wait_closed()


def _array(*texts: str) -> bytes:
    parts = "".join(f"${len(text)}\r\n{text}\r\n" for text in texts)
    return f"*{len(texts)}\r\n{parts}".encode()


@pytest.mark.parametrize("password", [None, "watch"])
async def test_sentinels_may_have_another_password_than_the_store_or_none(
    own_store: EmbeddedStore, tmp_path: Path, password: str | None
) -> None:
    await ask(own_store, "ACL", "SETUSER", "server", "on", ">secret", "~*", "&*", "+@all")
    lines = [] if password is None else [f"requirepass {password}"]
    sentinel = Sentinel(tmp_path / "sentinel", own_store.url, 1, *lines)
    sentinel.start()
    try:
        at = [Address("127.0.0.1", sentinel.port)]
        shard = SentinelShard("redis://server:secret@127.0.0.1/0", at, NAME, password, PATIENT)

        async def is_answered() -> bool:
            try:
                connection = await shard.connect()
            except (StoreUnavailable, *LOST):  # it has yet to begin
                return False
            await connection.send_command("ACL", "WHOAMI")
            answer = await connection.read_response()
            await connection.disconnect()
            return bool(answer == "server")

        await until(is_answered)
        await shard.stop()
        if password is not None:
            wrong = SentinelShard("redis://server:secret@127.0.0.1/0", at, NAME, "wrong")
            with pytest.raises((StoreUnavailable, *LOST)):
                await wrong.connect()
            await wrong.stop()
    finally:
        sentinel.kill()


async def test_a_sentinel_is_given_first_what_it_took_before(
    own_store: EmbeddedStore, tmp_path: Path
) -> None:
    sentinel = Sentinel(tmp_path / "sentinel", own_store.url, 1, "requirepass watch")
    sentinel.start()
    at = [Address("127.0.0.1", sentinel.port)]
    shard = SentinelShard("redis://server:secret@127.0.0.1/0", at, NAME, "watch", PATIENT)
    try:
        async with Redis(port=sentinel.port, password="watch") as redis:

            async def connections() -> int:
                return int((await redis.info("stats"))["total_connections_received"])

            await until(lambda: answers(shard))
            before = await connections()
            await shard.stop()
            assert await answers(shard)
            assert await connections() == before + 1
    finally:
        await shard.stop()
        sentinel.kill()


async def answers(shard: SentinelShard) -> bool:
    """Whether its sentinels do."""
    try:
        await shard.check()
    except StoreUnavailable:
        return False
    return True
