"""One namespace of a server, joined again whenever its connection breaks."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from protocol.backoff import Backoff
from protocol.connection import (
    ClientConnection,
    CommandRefused,
    ConnectionLost,
    Unreadable,
    understood,
)
from protocol.to_client import Draining
from protocol.tokens import TokenSource, expiry_of, token_of

MOST_RETRY_AFTER_SECONDS: Final = 60.0
ASK_SECONDS: Final = 15.0
TOKEN_SECONDS: Final = 8.0
REFRESH_AHEAD_SECONDS: Final = 60.0
DAY_SECONDS: Final = 86_400.0

Failure = CommandRefused | ConnectionLost


class Channel:
    """What is common to the front desk and the rooms: a connection of their own that comes back.

    `on_message` gets each message, by its name and in order, and says whether nothing is missing
    before it: else the connection is made anew, and what was missing comes. `came_back` is called
    after each reconnect, and `ended` once: with what went wrong, or None if it was closed. `auth`
    is what goes with the token each time, which is waited for `token_seconds`.
    """

    def __init__(
        self,
        url: str,
        namespace: str,
        token: TokenSource,
        *,
        on_message: Callable[[str, dict[str, Any]], Awaitable[bool]],
        came_back: Callable[[], Awaitable[None]],
        ended: Callable[[Failure | None], None],
        auth: Callable[[], Mapping[str, Any]],
        token_seconds: float = TOKEN_SECONDS,
    ) -> None:
        self._url = url
        self._namespace = namespace
        self._source = token
        self._on_message = on_message
        self._came_back = came_back
        self._ended = ended
        self._auth = auth
        self._token_seconds = token_seconds
        self._tasks: list[asyncio.Task[None]] = []
        self._closed = False
        self._failure: Failure | None = None
        self._retry_after_seconds: float | None = None

    async def open(self) -> None:
        """Connect for the first time. Raises CommandRefused or ConnectionLost. Nothing is received
        before `listen`."""
        self._connection = await self._connect()

    def listen(self) -> None:
        """Begin to receive."""
        self._tasks.append(asyncio.create_task(self._keep()))
        if not isinstance(self._source, str):
            self._tasks.append(asyncio.create_task(self._keep_logged_in()))

    async def ask(self, command: str, **payload: Any) -> dict[str, Any]:
        """The answer to a command. What the server cannot answer now is asked again for a while,
        and so is what was under way when the connection broke: no command does more the second
        time. Raises CommandRefused or ConnectionLost."""
        until = time.monotonic() + ASK_SECONDS
        backoff = Backoff()
        while True:
            if self._failure is not None:
                raise self._failure
            try:
                return await self.ask_once(command, **payload)
            except (CommandRefused, ConnectionLost) as error:
                wait_seconds = backoff.next_seconds()
                if self._failure is not None:
                    raise self._failure from error
                if not error.retry or self._closed or time.monotonic() + wait_seconds > until:
                    raise
            await asyncio.sleep(wait_seconds)

    async def ask_once(self, command: str, **payload: Any) -> dict[str, Any]:
        """The same on the connection that there is now."""
        return await self._connection.ask(command, **payload)

    async def close(self) -> None:
        """End the connection, for good."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._connection.close()
        self._ended(None)

    async def _connect(self) -> ClientConnection:
        self._token = await self.new_token()
        auth = {"token": self._token, **self._auth()}
        return await ClientConnection.open(self._url, self._namespace, auth)

    async def new_token(self) -> str:
        """A token that is valid now, as far as is known. Raises ConnectionLost if there is none in
        time."""
        try:
            async with asyncio.timeout(self._token_seconds):
                return await token_of(self._source)
        except Exception as error:
            raise ConnectionLost("there is no token at the moment") from error

    async def _keep(self) -> None:
        try:
            while True:
                async for name, message in self._connection.messages():
                    if not await self._take(name, message):
                        break
                await self._reconnect()
                await self._came_back()
        except (CommandRefused, ConnectionLost) as failure:
            self._closed = True
            self._failure = failure
            self._ended(failure)
            await self._connection.close()

    async def _take(self, name: str, message: dict[str, Any]) -> bool:
        """Take a message, and say whether nothing is missing before it."""
        try:
            if name == "draining":  # the connection ends, and is made again
                said = understood(Draining, message)
                self._retry_after_seconds = said.retry_after_ms / 1000
            return await self._on_message(name, message)
        except (CommandRefused, ConnectionLost):
            raise
        except Exception as error:
            raise Unreadable(f"this is no {name}") from error

    async def _reconnect(self) -> None:
        await self._connection.close()
        backoff = Backoff()
        while True:
            await asyncio.sleep(self._wait_seconds(backoff))
            try:
                self._connection = await self._connect()
            except ConnectionLost:
                continue
            except CommandRefused as refused:
                if not refused.retry:
                    raise
            else:
                return

    def _wait_seconds(self, backoff: Backoff) -> float:
        """How long to wait before the next attempt: what the server said, once, if it did."""
        said_seconds, self._retry_after_seconds = self._retry_after_seconds, None
        if said_seconds is None:
            return backoff.next_seconds()
        return min(max(said_seconds, 0.0), MOST_RETRY_AFTER_SECONDS)

    async def _keep_logged_in(self) -> None:
        """A connection does not outlive its token: the next one is handed in ahead of time."""
        while True:
            left_seconds = expiry_of(self._token) - REFRESH_AHEAD_SECONDS - time.time()
            await asyncio.sleep(min(max(REFRESH_AHEAD_SECONDS / 2, left_seconds), DAY_SECONDS))
            try:
                token = await self.new_token()
                await self.ask("refresh_token", token=token)
            except (CommandRefused, ConnectionLost):
                continue  # at the worst the server sends us away, and we come back
            self._token = token
