"""A real cluster as plain processes: three primaries, each with a replica, and one to spare."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Self

import pytest
import redis
from redis.backoff import NoBackoff
from redis.crc import REDIS_CLUSTER_HASH_SLOTS as SLOTS
from redis.crc import key_slot
from redis.retry import Retry

from server.dev.ports import free_port
from server.dev.store import EmbeddedStore
from tests.support.wait import TIMEOUT_SECONDS

PRIMARIES = 3
NODE_TIMEOUT_MS = 5_000
"""The longest that the operator's guide has: a member without CPU for a while is not lost."""


class Member(EmbeddedStore):
    """One node of a cluster, and a plain client of it."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        super().__init__(data_dir)
        self.bus_port = free_port()
        self.options = ["--cluster-enabled", "yes", "--cluster-port", str(self.bus_port)]
        self.options += ["--cluster-node-timeout", str(NODE_TIMEOUT_MS)]
        self.options += ["--cluster-require-full-coverage", "no"]
        self.options += ["--cluster-replica-validity-factor", "0"]
        self.options += ["--cluster-allow-replica-migration", "no"]
        self.options += ["--repl-diskless-sync-delay", "0", "--repl-timeout", "60", *options]

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._port

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._port}"

    def ask(self, *command: Any) -> Any:
        """Its answer to one command; a redirection is an error."""
        client = redis.Redis(
            port=self._port,
            decode_responses=True,
            socket_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        with client:
            return client.execute_command(*command)  # type: ignore[no-untyped-call]

    @property
    def node_id(self) -> str:
        """Its id in the cluster."""
        return str(self.ask("CLUSTER", "MYID"))

    @property
    def is_primary(self) -> bool:
        """Whether it says that it is one; false while it does not answer."""
        with suppress(redis.RedisError):
            return bool(self.ask("ROLE")[0] == "master")
        return False


class StoreCluster:
    """The cluster. Members may be killed and started again; `heal` has all of them back."""

    def __init__(self, data_dir: Path, *options: str, replicas: bool = True) -> None:
        count = 2 * PRIMARIES + 1 if replicas else PRIMARIES
        self.members = [Member(data_dir / str(place), *options) for place in range(count)]
        self._running = ExitStack()

    @property
    def url(self) -> str:
        """As `REDIS_URL` takes it, with two of the members."""
        first, second, *_ = self.members
        return f"redis+cluster://127.0.0.1:{first.port},127.0.0.1:{second.port}"

    def __enter__(self) -> Self:
        for member in self.members:
            self._running.enter_context(member)
        first, *others = self.members
        for member in others:
            member.ask("CLUSTER", "MEET", "127.0.0.1", first.port, first.bus_port)
        primaries, replicas = self.members[:PRIMARIES], self.members[PRIMARIES:]
        bounds = [SLOTS * place // PRIMARIES for place in range(PRIMARIES + 1)]
        for member, start, end in zip(primaries, bounds, bounds[1:], strict=False):
            member.ask("CLUSTER", "ADDSLOTSRANGE", start, end - 1)
        wait_until(lambda: all(self._knows_all(member) for member in self.members))
        for replica, primary in zip(replicas, primaries, strict=False):
            replica.ask("CLUSTER", "REPLICATE", primary.node_id)
        self.wait_until_healthy()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def refill(self, lost: Member, lost_id: str, primary: Member) -> None:
        """Start a member whose disk is lost, as a replica, in place of what it was."""
        lost.start()
        for member in self.members:
            if member is not lost:
                member.ask("CLUSTER", "FORGET", lost_id)
        lost.ask("CLUSTER", "MEET", "127.0.0.1", primary.port, primary.bus_port)
        wait_until(lambda: self._knows_all(lost))
        lost.ask("CLUSTER", "REPLICATE", primary.node_id)
        self.wait_until_healthy()

    def heal(self) -> None:
        """Start whoever was killed, and wait until all is healthy."""
        for member in self.members:
            if not member.is_primary and not self._answers(member):
                member.kill()
                member.start()
        self.wait_until_healthy()

    def empty(self) -> None:
        """Delete all keys."""
        for member in self.members:
            if member.is_primary:
                member.ask("FLUSHALL")

    def wait_until_healthy(self) -> None:
        """Return when every member knows a primary for each slot, and every replica is in sync."""
        wait_until(lambda: all(map(self._is_healthy, self.members)))

    @property
    def spare(self) -> Member:
        """The one that has no slot, and is nobody's replica."""
        return self.members[-1]

    def replica_of(self, primary: Member) -> Member:
        """One that follows it."""
        for member in self.members:
            role = member.ask("ROLE")
            if role[0] == "slave" and role[2] == primary.port:
                return member
        raise LookupError(primary.address)

    def primary_of(self, key: str) -> Member:
        """The member that has the slot of a key, and says so itself."""
        slot = key_slot(key.encode())
        for member in self.members:
            with suppress(redis.RedisError):
                for first, last, (_, port, *_), *_ in member.ask("CLUSTER", "SLOTS"):
                    if first <= slot <= last and port == member.port:
                        return member
        raise LookupError(key)

    def move_slot(self, key: str, target: Member, pause_seconds: float = 0) -> None:
        """Move the slot of a key to another primary, key by key, while it is in use."""
        source = self.primary_of(key)
        slot = key_slot(key.encode())
        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source.node_id)
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target.node_id)
        while names := source.ask("CLUSTER", "GETKEYSINSLOT", slot, 100):
            source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 60_000, "KEYS", *names)
            time.sleep(pause_seconds)
        for member in (target, source):
            member.ask("CLUSTER", "SETSLOT", slot, "NODE", target.node_id)

    def _knows_all(self, member: Member) -> bool:
        nodes = str(member.ask("CLUSTER", "NODES"))
        # In a handshake others have an id that they will not keep.
        return "handshake" not in nodes and len(nodes.splitlines()) == len(self.members)

    def _answers(self, member: Member) -> bool:
        with suppress(redis.RedisError):
            return bool(member.ask("PING"))
        return False

    def _is_healthy(self, member: Member) -> bool:
        with suppress(redis.RedisError):
            info = dict(line.split(":") for line in str(member.ask("CLUSTER", "INFO")).split())
            lines: Sequence[str] = str(member.ask("CLUSTER", "NODES")).splitlines()
            covered = int(info["cluster_slots_ok"]) == SLOTS
            in_doubt = any(word in line for line in lines for word in ("fail", "handshake"))
            replication = member.ask("INFO", "replication")
            is_in_sync = replication["role"] == "master" or (
                replication["master_link_status"] == "up"
            )
            return info["cluster_state"] == "ok" and covered and not in_doubt and is_in_sync
        return False


def wait_until(holds: Callable[[], bool]) -> None:
    """Return as soon as `holds()` is true. Raises AssertionError when it is not in time."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "the cluster is not healthy"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def running_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreCluster]:
    """The cluster of all tests of a file."""
    with StoreCluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def cluster(running_cluster: StoreCluster) -> StoreCluster:
    """A cluster that is healthy and has nothing in it."""
    running_cluster.heal()
    running_cluster.empty()
    return running_cluster
