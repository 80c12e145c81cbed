"""One connection that listens: channels come and go, the connection is renewed when it is lost."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import structlog
from redis.exceptions import AskError

from server.runtime.tasks import end
from server.store.channels import Channels
from server.store.errors import LOST, StoreUnavailable
from server.store.timings import TIMINGS, StoreTimings
from server.store.topology import Shard
from server.store.wire import Inbox

CANCEL_AGAIN_SECONDS: Final = 0.1

_LOST: Final = (*LOST, StoreUnavailable)

log = structlog.get_logger(__name__)

Listener = Callable[[str], None]
"""Called with each message of a channel."""


class Subscription(ABC):
    """Listens on channels for a whole process.

    While the connection is up, every message of a subscribed channel reaches its listener, in
    order. Whenever it was lost, `on_restored` is called after all channels are subscribed again:
    messages of the time between are gone, and must be read from where they are kept.
    """

    @property
    @abstractmethod
    def connections(self) -> int:
        """How often a connection was made: if that changed meanwhile, messages may be missing."""

    @property
    @abstractmethod
    def alive(self) -> bool:
        """Whether a connection is up and has answered lately."""

    @abstractmethod
    def start(self) -> None:
        """Connect, and stay connected until `close`."""

    @abstractmethod
    async def close(self) -> None:
        """Stop listening."""

    @abstractmethod
    async def subscribe(self, channel: str, listener: Listener) -> None:
        """Listen on a channel; when this returns, no later message is missed.

        Raises StoreUnavailable if the store does not confirm in time; nothing is left then.
        """

    @abstractmethod
    def redirect(self, channel: str, listener: Listener) -> None:
        """Give a subscribed channel another listener."""

    @abstractmethod
    def unsubscribe(self, channel: str) -> None:
        """Stop listening on a channel, at once."""


class ShardSubscription(Subscription):
    """Listens on the channels of one shard, on one connection.

    In a cluster `on_ended` is called with each channel that the shard has ended by itself, and
    `on_redirected` with its answer about one that it has not.
    """

    on_ended: Callable[[str], None] | None = None
    on_redirected: Callable[[AskError], None] | None = None

    def __init__(
        self,
        shard: Shard,
        channels: Channels,
        on_restored: Callable[[], None],
        timings: StoreTimings = TIMINGS,
    ) -> None:
        self._shard = shard
        shard.on_moved(self.renew)
        self._timings = timings
        self._channels = channels
        self._on_restored = on_restored
        self._listeners: dict[str, Listener] = {}
        self._confirmed: dict[str, asyncio.Event] = {}
        self._inbox: Inbox | None = None
        self._task: asyncio.Task[None] | None = None
        self._received_at_s = 0.0
        self._connections = 0
        self.complete = False
        """Whether all channels are subscribed on the connection that there is."""
        self._renewed: set[str] = set()  # channels of before that are not confirmed again
        self._asked_to_end: Counter[str] = Counter()

    @property
    def connections(self) -> int:
        """See `Subscription.connections`."""
        return self._connections

    @property
    def alive(self) -> bool:
        """See `Subscription.alive`."""
        return self._inbox is not None and self._silent_seconds < self._timings.silence_seconds

    def start(self) -> None:
        """Connect, and stay connected until `close`."""
        self._task = asyncio.create_task(self._keep_connected())

    async def close(self) -> None:
        """Stop listening."""
        # Again and again: redis-py may forget it while it connects.
        await end(self._task, again_seconds=CANCEL_AGAIN_SECONDS)

    def renew(self) -> None:
        """Give the connection up and make another."""
        if self._inbox is not None:
            self._inbox.end(ConnectionResetError("the subscription is renewed"))

    async def subscribe(self, channel: str, listener: Listener) -> None:
        """See `Subscription.subscribe`."""
        self._listeners[channel] = listener
        confirmed = self._confirmed[channel] = asyncio.Event()
        try:
            if self._inbox is not None:
                with suppress(*LOST):  # the next connection subscribes it
                    self._inbox.send(self._channels.subscribe, channel)
            async with asyncio.timeout(self._timings.confirm_seconds):
                await confirmed.wait()
        except _LOST as error:
            self.unsubscribe(channel)
            raise StoreUnavailable("the subscription was not confirmed") from error
        except asyncio.CancelledError:
            self.unsubscribe(channel)
            raise

    def redirect(self, channel: str, listener: Listener) -> None:
        """Give a subscribed channel another listener."""
        self._listeners[channel] = listener

    def unsubscribe(self, channel: str) -> None:
        """Stop listening on a channel, at once."""
        self._listeners.pop(channel, None)
        self._confirmed.pop(channel, None)
        self._confirm(channel)
        asyncio.get_running_loop().call_soon(self._send_unsubscribe, channel)

    def _send_unsubscribe(self, channel: str) -> None:
        if self._inbox is None or channel in self._listeners:
            return
        try:
            self._inbox.send(self._channels.unsubscribe, channel)
            self._asked_to_end[channel] += 1
        except _LOST:
            log.info("subscription_lost_while_unsubscribing")

    async def _keep_connected(self) -> None:
        while True:
            try:
                await self._listen()
            except _LOST as lost:
                log.warning("subscription_lost", error=repr(lost))
            await asyncio.sleep(self._timings.reconnect_seconds)

    async def _listen(self) -> None:
        connection = await self._shard.connect()
        try:
            self._received_at_s = time.monotonic()
            self._inbox = inbox = Inbox(connection, self._receive)
            self._connections += 1
            self._asked_to_end.clear()
            self._renewed = set(self._listeners)
            self.complete = not self._renewed
            for channel in self._renewed:  # one by one: in a cluster they may differ in slot
                inbox.send(self._channels.subscribe, channel)
            await self._ping(inbox)
        finally:
            self._inbox = None
            self.complete = False
            await connection.disconnect(nowait=True)

    def _receive(self, reply: Any) -> None:
        if isinstance(reply, AskError) and self.on_redirected is not None:  # MOVED is one
            self.on_redirected(reply)
            return
        if isinstance(reply, Exception):
            raise reply
        self._received_at_s = time.monotonic()
        kind, channel, payload = _parts(reply)
        if kind in ("message", "smessage"):
            self._notify(channel, payload)
        elif kind in ("subscribe", "ssubscribe"):
            if channel in self._confirmed:
                self._confirmed[channel].set()
            self._confirm(channel)
        elif kind in ("unsubscribe", "sunsubscribe"):
            asked = self._asked_to_end.pop(channel, 0)
            if asked > 1:
                self._asked_to_end[channel] = asked - 1
            elif not asked and channel in self._listeners and self.on_ended is not None:
                self.on_ended(channel)

    def _confirm(self, channel: str) -> None:
        """A channel that was subscribed before is so again, or no longer wanted."""
        self._renewed.discard(channel)
        if self._inbox is not None and not self.complete and not self._renewed:
            self.complete = True
            self._on_restored()

    def _notify(self, channel: str, payload: str) -> None:
        listener = self._listeners.get(channel)
        if listener is None:
            return
        try:
            listener(payload)
        except Exception:
            # A fault over one message must not end the subscription of the whole process.
            log.exception("listener_failed", channel=channel)

    async def _ping(self, inbox: Inbox) -> None:
        """Ask for a sign of life again and again. Raises TimeoutError when there is none, or why
        the connection has ended."""
        while (left_seconds := self._timings.silence_seconds - self._silent_seconds) > 0:
            inbox.send("PING")
            seconds = min(self._timings.ping_seconds, left_seconds)
            await asyncio.wait([inbox.ended], timeout=seconds)
            if inbox.ended.done():
                inbox.ended.result()
        raise TimeoutError("the subscription is silent")

    @property
    def _silent_seconds(self) -> float:
        return time.monotonic() - self._received_at_s


def _parts(answer: Any) -> tuple[str, str, str]:
    """Kind, channel and payload; what a subscribed connection answers to PING is a short list."""
    padded = [*answer, "", ""] if isinstance(answer, list) else [str(answer), "", ""]
    return padded[0], padded[1], padded[2]
