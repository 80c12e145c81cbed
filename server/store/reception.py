"""Whether what is published where commands go reaches this process's subscription."""

import asyncio
import os
from typing import Final

import structlog

from server.runtime.tasks import end
from server.store import keys
from server.store.channels import Channels
from server.store.connection import Connection
from server.store.errors import StoreUnavailable
from server.store.subscription import ShardSubscription

LOOK_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


class Reception:
    """Renews a subscription that is connected to another store than the commands are.

    A primary that was demoted, or cut off, keeps its subscribers and publishes nothing more to
    them. The store answers to how many of its own connections it has passed a message on: on a
    channel that nobody else listens to that is one, or the subscription is somewhere else."""

    def __init__(
        self, connection: Connection, subscription: ShardSubscription, channels: Channels
    ) -> None:
        self._connection = connection
        self._subscription = subscription
        self._channels = channels
        self._channel = keys.reception(os.urandom(8).hex())
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Look no more."""
        await end(self._task)

    async def _run(self) -> None:
        listens = False
        while True:
            try:
                if listens:
                    await self._look()
                else:
                    await self._subscription.subscribe(self._channel, _ignore)
                    listens = True
            except StoreUnavailable as error:
                log.info("reception_not_known", error=str(error))
            except Exception:
                log.exception("reception_failed")  # a later look may do better
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        if not self._subscription.complete:
            return
        connections = self._subscription.connections
        heard_by = await self._connection.call(self._channels.publish, self._channel, "")
        if heard_by == 0 and self._subscription.connections == connections:
            log.warning("subscription_elsewhere")
            self._subscription.renew()


def _ignore(_said: str) -> None:
    """That the message was passed on is all that counts."""
