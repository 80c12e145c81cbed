"""One primary of a cluster, and what it knows of the others."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from redis.exceptions import ResponseError

from server.runtime.store_url import Address
from server.store.errors import WrongTopology
from server.store.timings import TIMINGS, StoreTimings
from server.store.topology import Place, Shard, resolved

ASK_SECONDS: Final = 1.0
"""From one look to the next."""
_NO_CLUSTER: Final = "cluster support disabled"
"""The error of a store of its own, where one of a cluster is expected."""


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


class Informant:
    """A node that is asked, and one connection to it for that."""

    def __init__(self, node: NodeShard) -> None:
        self.address = node.address
        self._node = node
        self._ask_seconds = node.timings.ask_seconds
        self._connection: Any = None
        self._asking = asyncio.Lock()

    async def ask(self) -> View:
        """The cluster as it sees it. Raises StoreUnavailable, WrongTopology, or one of LOST."""
        async with self._asking:
            try:
                async with asyncio.timeout(self._ask_seconds):
                    if self._connection is None:
                        self._connection = await self._node.connect(self._ask_seconds)
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
        try:
            lines = str(await connection.read_response()).split()
        except ResponseError as error:
            if _NO_CLUSTER not in str(error):
                raise
            raise WrongTopology(f"{self.address} is no node of a cluster") from None
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
