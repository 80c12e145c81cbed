"""Which primary of a cluster has which slot: asked of the nodes themselves, again and again."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Final

import structlog
from redis.crc import REDIS_CLUSTER_HASH_SLOTS as SLOTS
from redis.crc import key_slot

from server.runtime.store_url import Address
from server.runtime.tasks import end
from server.store.cluster_node import ASK_SECONDS, Informant, NodeShard, View
from server.store.errors import StoreUnavailable
from server.store.first_answers import first_answers, retrieve
from server.store.timings import TIMINGS, StoreTimings

ASK_AGAIN_SECONDS: Final = 0.05
"""The shortest time between two looks, however many hint that something has moved."""
LEAVE_SECONDS: Final = 0.2
"""So long a node that has lost its slots has to answer what it was asked: it may only be late."""
ASKED: Final = 8
"""How many nodes are asked at most: of a large cluster not all need be."""

log = structlog.get_logger(__name__)

Owners = Mapping[int, Address]
"""The primary of each slot that has one."""


class ClusterMap:
    """The slots of a cluster and their primaries. `url` is a plain one, for all but the address;
    the nodes at `seeds` are asked when no other is known."""

    def __init__(self, url: str, seeds: Sequence[Address], timings: StoreTimings = TIMINGS) -> None:
        self._url = url
        self._seeds = seeds
        self._timings = timings
        self._view: View | None = None
        # By the answers of nodes about one slot each, and when (of the loop's clock).
        self._amended: dict[int, tuple[Address, float]] = {}
        self._owners: dict[int, Address] = {}
        self._nodes: dict[Address, NodeShard] = {}
        self._asked: dict[Address, Informant] = {}
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
        """Note that by an answer of a node the slot is at that address now."""
        self.hint()
        if self._owners.get(slot) != address:
            self._amended[slot] = address, asyncio.get_running_loop().time()
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
        await end(self._task, self._looking)
        for informant in self._asked.values():
            await informant.close()
        for node in self._nodes.values():
            await node.stop()

    async def look(self) -> None:
        """Ask the nodes now. Raises StoreUnavailable if none answers, WrongTopology if those that
        do are none."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
            self._looking.add_done_callback(retrieve)
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
            self._asked[address] = Informant(self.node(address))
        best = max(await self._views(list(known)), key=lambda view: view.rank)
        since_s = asyncio.get_running_loop().time() - self._timings.amended_seconds
        amended = {slot: said for slot, said in self._amended.items() if said[1] > since_s}
        if best != self._view or amended != self._amended:
            self._view, self._amended = best, amended
            owners = {s: at for first, last, at in best.ranges for s in range(first, last + 1)}
            self._apply(owners | {slot: at for slot, (at, _) in amended.items()})

    async def _views(self, addresses: Sequence[Address]) -> Sequence[View]:
        """The views of those that answer, `ASKED` at most unless none of them does."""
        failed = StoreUnavailable("no node of the cluster is known")
        for start in range(0, len(addresses), ASKED):
            some = [self._asked[address] for address in addresses[start : start + ASKED]]
            try:
                return await first_answers({str(each.address): each.ask() for each in some})
            except StoreUnavailable as error:
                failed = error
        raise failed

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
        for listener in self._on_changed:
            listener()
        for node in gone:
            for listener in self._on_gone:
                listener()
            asyncio.get_running_loop().call_later(LEAVE_SECONDS, self._leave, node)

    def _leave(self, node: NodeShard) -> None:
        """Have everybody leave a node that has no slots any more."""
        if node not in self.primaries:
            node.leave()


@lru_cache(maxsize=4096)
def slot_of(key: str) -> int:
    """The slot of a key or a channel."""
    return int(key_slot(key.encode()))
