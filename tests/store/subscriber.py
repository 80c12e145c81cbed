"""Somebody who listens on the store's channels."""

from dataclasses import replace

from server.store.channels import Channels
from server.store.subscription import ShardSubscription
from server.store.timings import PATIENT, StoreTimings
from server.store.topology import PlainShard

UNHURRIED = replace(PATIENT, silence_seconds=15)
"""As patient as tests are, but for a silence, which some of them wait for."""


class Subscriber:
    """A subscription, what it received, and how often it was restored."""

    def __init__(
        self, url: str, *, sharded: bool = True, timings: StoreTimings = UNHURRIED
    ) -> None:
        self.received: list[str] = []
        self.restored = 0
        self._shard = PlainShard(url)
        self.subscription = ShardSubscription(
            self._shard, Channels(sharded), self._restored, timings
        )
        self.subscription.start()

    async def close(self) -> None:
        """Receive nothing more."""
        await self.subscription.close()
        await self._shard.stop()

    async def listen(self, channel: str = "channel") -> None:
        """Receive what is published on a channel."""
        await self.subscription.subscribe(channel, self.received.append)

    def _restored(self) -> None:
        self.restored += 1
