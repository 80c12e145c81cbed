"""What players and spectators have in common: a token, and a connection that is made again."""

import asyncio
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from typing import Any, Final

from protocol.backoff import Backoff
from server.load.connection import LoadConnection
from server.load.context import WorkerContext
from server.load.failures import Disconnected, RequestRefused

RETRY_SECONDS: Final = (0.5, 1.5)
"""How long to wait before another attempt at what was refused: at random between these, so that
not all come at once."""
_TOKEN_SECONDS: Final = 1800
"""How long a token is used again: half as long as the shortest-lived, the development server's, is
valid."""

_random: Final = random.SystemRandom()


class Participant(ABC):
    """Somebody with an id, a token and one connection at a time."""

    def __init__(self, alien_id: str, context: WorkerContext) -> None:
        self.alien_id = alien_id
        self._context = context
        self._wake_up = asyncio.Event()
        self._connection: LoadConnection | None = None
        self._backoff = Backoff()
        self._token: str | None = None
        self._token_until_s = 0.0

    async def run(self) -> None:
        """Take part in one game after the other, until cancelled."""
        while True:
            await self._attempt(self._take_part())

    def drop(self) -> None:
        """Cut the connection, as a lost network does. `run` makes it again."""
        if self._connection is not None:
            self._connection.drop()

    async def leave(self) -> None:
        """Close the connection, after `run` was cancelled."""
        if self._connection is not None:
            self._connection.close()

    @abstractmethod
    async def _take_part(self) -> None:
        """Take part in a game to its end, from where the last attempt has got to. Raises
        RequestRefused or Disconnected."""

    @abstractmethod
    def _forget_game(self) -> None:
        """Have the next attempt begin another game."""

    async def _attempt(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Disconnected:
            await asyncio.sleep(self._reconnect_delay_seconds())
        except RequestRefused as refused:
            self._context.meter.error(refused.code)
            if not refused.retry:
                self._token = None  # it may be the reason
                self._forget_game()
            await asyncio.sleep(_random.uniform(*RETRY_SECONDS))

    def _reconnect_delay_seconds(self) -> float:
        """How long to wait before a connection that has ended, or could not be made, is made
        again."""
        connection, self._connection = self._connection, None
        if connection is not None and connection.has_joined:
            self._backoff.reset()
        named_seconds = None if connection is None else connection.retry_after_seconds
        return self._backoff.next_seconds() if named_seconds is None else named_seconds

    async def _valid_token(self) -> str:
        """The token, or a new one if it will soon expire. Raises RequestRefused."""
        if self._token is None or time.monotonic() > self._token_until_s:
            self._token = await self._context.token_source.token(self.alien_id)
            self._token_until_s = time.monotonic() + _TOKEN_SECONDS
        return self._token

    async def _connected(self) -> LoadConnection:
        """The connection, made again if it has ended. Raises RequestRefused or Disconnected."""
        if self._connection is None or self._connection.has_ended:
            self._connection = await self._context.dialer.dial()
            self._connection.on_end = self._wake_up.set
        return self._connection

    async def _wait_until_woken(self, connection: LoadConnection) -> None:
        """Return when `_wake_up` was set: by an event of the room that there may be something to do
        about, or by the end of the connection. Raises Disconnected."""
        await self._wake_up.wait()
        self._wake_up.clear()
        connection.check()
