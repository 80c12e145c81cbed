"""What players and spectators have in common: they stay, whatever happens."""

import asyncio
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from typing import Any, Final

from protocol.backoff import Backoff
from server.load.connection import Connection
from server.load.failures import ConnectionLost, Refused
from server.load.kit import Kit

RETRY_SECONDS: Final = (0.5, 1.5)
"""When to try again what was refused, at random in between, so that not all come at once."""
_TOKEN_SECONDS: Final = 1800
"""How long a token is shown again: half of what the shortest-lived is good for."""

_chance: Final = random.SystemRandom()


class Participant(ABC):
    """Somebody with a name, a token and one connection at a time."""

    def __init__(self, alien_id: str, kit: Kit) -> None:
        self.alien_id = alien_id
        self._kit = kit
        self._news = asyncio.Event()
        self._line: Connection | None = None
        self._backoff = Backoff()
        self._token: str | None = None
        self._token_until_s = 0.0

    async def run(self) -> None:
        """Take part in one game after the other, until cancelled."""
        while True:
            await self._attempt(self._take_part())

    def drop(self) -> None:
        """Lose the connection. It is made again."""
        if self._line is not None:
            self._line.drop()

    async def leave(self) -> None:
        """Say goodbye, after `run` was cancelled."""
        if self._line is not None:
            self._line.close()

    @abstractmethod
    async def _take_part(self) -> None:
        """Go on where the last attempt ended, up to the end of a game."""

    @abstractmethod
    def _give_up(self) -> None:
        """Begin anew at the next attempt: this one cannot go on."""

    async def _attempt(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except ConnectionLost:
            await asyncio.sleep(self._comeback_seconds())
        except Refused as refused:
            self._kit.meter.error(refused.code)
            if not refused.may_pass:
                self._token = None  # it may be why
                self._give_up()
            await asyncio.sleep(_chance.uniform(*RETRY_SECONDS))

    def _comeback_seconds(self) -> float:
        """How long to wait after a connection was lost, or was not made."""
        line, self._line = self._line, None
        if line is not None and line.has_joined:
            self._backoff.reset()
        told = None if line is None else line.retry_after_seconds
        return self._backoff.next_seconds() if told is None else told

    async def _identify(self) -> str:
        """A token that is good for a while yet. Raises Refused."""
        if self._token is None or time.monotonic() > self._token_until_s:
            self._token = await self._kit.tokens.token(self.alien_id)
            self._token_until_s = time.monotonic() + _TOKEN_SECONDS
        return self._token

    async def _connected(self) -> Connection:
        """The connection, made again if it has ended. Raises Refused or ConnectionLost."""
        if self._line is None or self._line.has_ended:
            self._line = await self._kit.dialer.dial()
            self._line.on_end = self._news.set
        return self._line

    async def _wait_for_news(self, line: Connection) -> None:
        """Return when there may be something to do. Raises ConnectionLost."""
        await self._news.wait()
        self._news.clear()
        line.check()
