"""Channels of a cluster: each is listened to at the primary of its slot, wherever that goes."""

import asyncio
from collections.abc import Callable

import structlog
from redis.exceptions import AskError

from server.runtime.store_url import Address
from server.runtime.tasks import end
from server.store.cluster_map import ClusterMap, slot_of
from server.store.cluster_node import NodeShard
from server.store.errors import StoreUnavailable
from server.store.subscription import Listener, ShardSubscription, Subscription
from server.store.timings import TIMINGS, StoreTimings

RETRY_SECONDS = 0.1
RESTORED_SECONDS = 0.02
"""Channels that move together are reported together."""

log = structlog.get_logger(__name__)

Make = Callable[[NodeShard, Callable[[], None]], ShardSubscription]
"""Makes the subscription to a node, which calls the other argument whenever it was restored."""


class ClusterSubscription(Subscription):
    """One subscription to each primary that has a channel.

    A channel whose slot has moved is subscribed anew, and so is one that the node has ended by
    itself; `on_restored` is called after that, as after a connection that was lost.
    """

    def __init__(
        self,
        cluster: ClusterMap,
        make: Make,
        on_restored: Callable[[], None],
        timings: StoreTimings = TIMINGS,
    ) -> None:
        self._cluster = cluster
        self._make = make
        self._on_restored = on_restored
        self._confirm_seconds = timings.confirm_seconds
        self._listeners: dict[str, Listener] = {}
        self._confirmed: dict[str, asyncio.Event] = {}
        self._at: dict[str, ShardSubscription] = {}
        self._nodes: dict[Address, ShardSubscription] = {}
        self._placing: dict[str, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._moves = 0
        self._restored: asyncio.TimerHandle | None = None
        self._started = False
        cluster.on_changed(self._follow)

    @property
    def connections(self) -> int:
        """See `Subscription.connections`."""
        return self._moves + sum(node.connections for node in self._nodes.values())

    @property
    def alive(self) -> bool:
        """See `Subscription.alive`. One primary whose subscription is alive is enough."""
        return any(node.alive for node in self._nodes.values())

    def start(self) -> None:
        """See `Subscription.start`."""
        self._started = True
        self._follow()

    async def close(self) -> None:
        """See `Subscription.close`."""
        self._started = False
        if self._restored is not None:
            self._restored.cancel()
        await end(*self._placing.values())
        await asyncio.gather(*(node.close() for node in self._nodes.values()), *self._ending)

    async def subscribe(self, channel: str, listener: Listener) -> None:
        """See `Subscription.subscribe`."""
        self._listeners[channel] = listener
        confirmed = self._confirmed[channel] = asyncio.Event()
        self._place(channel)
        try:
            async with asyncio.timeout(self._confirm_seconds):
                await confirmed.wait()
        except TimeoutError as error:
            self.unsubscribe(channel)
            raise StoreUnavailable("the subscription was not confirmed") from error
        except asyncio.CancelledError:
            self.unsubscribe(channel)
            raise

    def redirect(self, channel: str, listener: Listener) -> None:
        """See `Subscription.redirect`."""
        self._listeners[channel] = listener
        if channel in self._at:
            self._at[channel].redirect(channel, listener)

    def unsubscribe(self, channel: str) -> None:
        """See `Subscription.unsubscribe`."""
        self._listeners.pop(channel, None)
        self._confirmed.pop(channel, None)
        self._take_away(channel)

    def _follow(self) -> None:
        """The slots have other primaries, or may have."""
        if not self._started:
            return
        addresses = {node.address for node in self._cluster.primaries}
        for node in self._cluster.primaries:
            self._to(node)  # so that it is known of each whether its subscription is alive
        for channel in self._listeners:
            node_now = self._cluster.primary_now(slot_of(channel))
            if node_now is None or self._at.get(channel) is not self._nodes[node_now.address]:
                self._place(channel)
        for address in self._nodes.keys() - addresses:
            gone = self._nodes.pop(address)
            self._moves += gone.connections
            ending = asyncio.create_task(gone.close())
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)

    def _ended(self, channel: str) -> None:
        """A node has ended a channel by itself: its slot is going elsewhere."""
        self._cluster.hint()
        if channel in self._listeners:
            self._place(channel)

    def _redirected(self, error: AskError) -> None:
        """A node answered that a channel is not its own."""
        self._cluster.moved(error.slot_id, Address(error.host, error.port))

    def _place(self, channel: str) -> None:
        """Have a channel subscribed where its slot is."""
        self._take_away(channel)
        self._placing[channel] = asyncio.create_task(self._keep_placing(channel))

    def _take_away(self, channel: str) -> None:
        placing = self._placing.pop(channel, None)
        if placing is not None:
            placing.cancel()
        at = self._at.pop(channel, None)
        if at is not None:
            at.unsubscribe(channel)

    async def _keep_placing(self, channel: str) -> None:
        while True:
            try:
                node = self._to(await self._cluster.primary(slot_of(channel)))
                self._at[channel] = node
                await node.subscribe(channel, self._listeners[channel])
                break
            except StoreUnavailable as error:
                log.info("channel_not_subscribed", channel=channel, error=str(error))
            except Exception:
                log.exception("channel_not_subscribed", channel=channel)
            self._at.pop(channel, None)
            self._cluster.hint()
            await asyncio.sleep(RETRY_SECONDS)
        self._placing.pop(channel)
        confirmed = self._confirmed[channel]
        if confirmed.is_set():
            self._moves += 1
            self._report()
        confirmed.set()

    def _to(self, node: NodeShard) -> ShardSubscription:
        subscription = self._nodes.get(node.address)
        if subscription is None:
            subscription = self._nodes[node.address] = self._make(node, self._on_restored)
            subscription.on_ended = self._ended
            subscription.on_redirected = self._redirected
            if self._started:
                subscription.start()
        return subscription

    def _report(self) -> None:
        if self._restored is None:
            loop = asyncio.get_running_loop()
            self._restored = loop.call_later(RESTORED_SECONDS, self._report_now)

    def _report_now(self) -> None:
        self._restored = None
        self._on_restored()
