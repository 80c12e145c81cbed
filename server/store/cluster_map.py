"""Which primary of a cluster has which slot: asked of the nodes themselves, again and again."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import structlog
from redis.crc import REDIS_CLUSTER_HASH_SLOTS as SLOTS
from redis.crc import key_slot

from server.runtime.store_url import Address
from server.store.errors import LOST, StoreUnavailable
from server.store.timings import TIMINGS, StoreTimings
from server.store.topology import Place, Shard, resolved

ASK_SECONDS: Final = 1.0
"""From one look to the next, and how long an answer is waited for."""
OTHERS_SECONDS: Final = 0.1
"""So long the other nodes have when one has answered."""
ASK_AGAIN_SECONDS: Final = 0.05
"""The shortest time between two looks, however many hint that something has moved."""
LEAVE_SECONDS: Final = 0.2
"""So long a node that has lost its slots has to answer what it was asked: it may only be late."""
ASKED: Final = 8
"""How many nodes are asked at most: of a large cluster not all need be."""

log = structlog.get_logger(__name__)

Owners = Mapping[int, Address]
"""The primary of each slot that has one."""


class NodeShard(Shard):
    """One primary of a cluster, by its address. A fail-over makes another one of it."""

    kind = "cluster"
    redirects = True

    def __init__(self, url: str, address: Address, timings: StoreTimings = TIMINGS) -> None:
        super().__init__(url, timings)
        self.address = address
        self.name = str(address)

    async def places(self) -> Sequence[Place]:
        """Every address that the node's name has."""
        return await resolved(self.address.host, self.address.port)

    def leave(self) -> None:
        """It is not a primary any more: have everybody leave it."""
        for leave in self._on_moved:
            leave()


@dataclass(frozen=True, slots=True)
class View:
    """The cluster as one node sees it, better views last: one of a node that is cut off is worse
    than any other, and of two the one counts that knows of more changes."""

    healthy: bool
    epoch: int
    ranges: tuple[tuple[int, int, Address], ...]

    @property
    def rank(self) -> tuple[bool, int, int]:
        """What views are compared by."""
        covered = sum(last + 1 - first for first, last, _ in self.ranges)
        return self.healthy, self.epoch, covered


class ClusterMap:
    """The slots of a cluster and their primaries. `url` is a plain one, for all but the address;
    the nodes at `seeds` are asked when no other is known."""

    def __init__(self, url: str, seeds: Sequence[Address], timings: StoreTimings = TIMINGS) -> None:
        self._url = url
        self._seeds = seeds
        self._timings = timings
        self._view: View | None = None
        self._amended = False  # by what a node said of one slot
        self._owners: dict[int, Address] = {}
        self._nodes: dict[Address, NodeShard] = {}
        self._asked: dict[Address, _Informant] = {}
        self.primaries: Sequence[NodeShard] = ()
        """All that have slots; none before the first look."""
        self._on_changed: list[Callable[[], None]] = []
        self._on_gone: list[Callable[[], None]] = []
        self._hint = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def covered(self) -> bool:
        """Whether every slot has a primary."""
        return len(self._owners) == SLOTS

    def on_changed(self, changed: Callable[[], None]) -> None:
        """Have `changed` called whenever a slot has another primary, or none any more."""
        self._on_changed.append(changed)

    def on_gone(self, gone: Callable[[], None]) -> None:
        """Have `gone` called for each primary that has lost all its slots."""
        self._on_gone.append(gone)

    async def primary(self, slot: int) -> NodeShard:
        """The primary of a slot. Raises StoreUnavailable if there is none."""
        if self._view is None:
            await self.look()
        primary = self.primary_now(slot)
        if primary is None:
            self.hint()
            raise StoreUnavailable(f"no primary has the slot {slot}")
        return primary

    def primary_now(self, slot: int) -> NodeShard | None:
        """The primary of a slot as far as is known."""
        address = self._owners.get(slot)
        return None if address is None else self._nodes[address]

    def moved(self, slot: int, address: Address) -> None:
        """A node said that the slot is at that address now."""
        self.hint()
        if self._owners.get(slot) != address:
            self._amended = True
            self._apply({**self._owners, slot: address})

    def node(self, address: Address) -> NodeShard:
        """The node at that address, which may be about to get its first slot."""
        if address not in self._nodes:
            self._nodes[address] = NodeShard(self._url, address, self._timings)
        return self._nodes[address]

    def hint(self) -> None:
        """Something is not where it was: look soon."""
        self._hint.set()

    def start(self) -> None:
        """Look from now on."""
        if self._task is None:
            self._task = asyncio.create_task(self._keep_looking())

    async def stop(self) -> None:
        """End that, and close all connections."""
        for task in (self._task, self._looking):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        for informant in self._asked.values():
            await informant.close()
        for node in self._nodes.values():
            await node.stop()

    async def look(self) -> None:
        """Ask the nodes now. Raises StoreUnavailable if none answers."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
            self._looking.add_done_callback(_heard)
        await asyncio.shield(self._looking)

    async def _keep_looking(self) -> None:
        while True:
            self._hint.clear()
            try:
                await self.look()
            except StoreUnavailable as error:
                log.warning("cluster_does_not_answer", error=str(error))
            except Exception:
                log.exception("cluster_look_failed")  # a later one may do better
            await asyncio.sleep(ASK_AGAIN_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(ASK_SECONDS):
                    await self._hint.wait()

    async def _look(self) -> None:
        known = dict.fromkeys([*(node.address for node in self.primaries), *self._seeds])
        for address in self._asked.keys() - known.keys():
            await self._asked.pop(address).close()
        for address in known.keys() - self._asked.keys():
            self._asked[address] = _Informant(self.node(address))
        best = max(await self._views(list(known)), key=lambda view: view.rank)
        if best != self._view or self._amended:
            self._view, self._amended = best, False
            owners = {s: at for first, last, at in best.ranges for s in range(first, last + 1)}
            self._apply(owners)

    async def _views(self, addresses: Sequence[Address]) -> Sequence[View]:
        """What those say that answer, `ASKED` at most unless none of them does."""
        failed = ""
        for start in range(0, len(addresses), ASKED):
            some = [self._asked[address] for address in addresses[start : start + ASKED]]
            asked = {asyncio.create_task(informant.ask()): informant for informant in some}
            heard: list[View] = []
            try:
                waiting, patience_seconds = set(asked), None
                while waiting:
                    done, waiting = await asyncio.wait(
                        waiting, timeout=patience_seconds, return_when=asyncio.FIRST_COMPLETED
                    )
                    if not done:
                        break
                    for task in done:
                        error = task.exception()
                        if error is None:
                            heard.append(task.result())
                            patience_seconds = OTHERS_SECONDS
                        elif isinstance(error, (StoreUnavailable, *LOST)):
                            failed = f"{asked[task].address}: {error}"
                        else:
                            raise error
            finally:
                for task in waiting:
                    task.cancel()
            if heard:
                return heard
        raise StoreUnavailable(failed)

    def _apply(self, owners: Owners) -> None:
        if owners == self._owners:
            return
        self._owners = dict(owners)
        before = self.primaries
        addresses = sorted(set(self._owners.values()), key=str)
        self.primaries = [self.node(address) for address in addresses]
        gone = [node for node in before if node not in self.primaries]
        new = [str(node.address) for node in self.primaries if node not in before]
        if before and (gone or new):
            log.warning("primaries_changed", new=new, gone=[str(node.address) for node in gone])
        for changed in self._on_changed:
            changed()
        for node in gone:
            for told in self._on_gone:
                told()
            asyncio.get_running_loop().call_later(LEAVE_SECONDS, self._leave, node)

    def _leave(self, node: NodeShard) -> None:
        """Have everybody leave a node that has no slots any more."""
        if node not in self.primaries:
            node.leave()


class _Informant:
    """A node that is asked, and one connection to it for that."""

    def __init__(self, node: NodeShard) -> None:
        self.address = node.address
        self._node = node
        self._connection: Any = None
        self._asking = asyncio.Lock()

    async def ask(self) -> View:
        """The cluster as it sees it. Raises StoreUnavailable, or one of LOST."""
        async with self._asking:
            try:
                async with asyncio.timeout(ASK_SECONDS):
                    if self._connection is None:
                        self._connection = await self._node.connect(ASK_SECONDS)
                    return await self._ask(self._connection)
            except BaseException:
                await self._hang_up()  # what it says later would be taken for another answer
                raise

    async def close(self) -> None:
        """Close the connection."""
        await self._hang_up()

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)

    async def _ask(self, connection: Any) -> View:
        await connection.send_command("CLUSTER", "INFO")
        lines = str(await connection.read_response()).split()
        about = dict(line.split(":", 1) for line in lines)
        await connection.send_command("CLUSTER", "SLOTS")
        ranges = tuple(
            sorted(
                (int(first), int(last), self._address(primary))
                for first, last, primary, *_ in await connection.read_response()
            )
        )
        healthy = about["cluster_state"] == "ok"
        return View(healthy, int(about["cluster_current_epoch"]), ranges)

    def _address(self, named: Sequence[Any]) -> Address:
        """The address of a node; one that does not know its own is where it was asked."""
        host, port, *_ = named
        return Address(host if host not in (None, "", "?") else self.address.host, int(port))


def _heard(look: "asyncio.Task[None]") -> None:
    if not look.cancelled():
        look.exception()  # even if all who asked are gone


@lru_cache(maxsize=4096)
def slot_of(key: str) -> int:
    """The slot of a key or a channel."""
    return int(key_slot(key.encode()))
