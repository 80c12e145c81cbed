"""A spectator who follows a lobby on a stock client, and connects again whenever it is cut off."""

import asyncio
from contextlib import suppress
from typing import Any, Self

import aiohttp
import socketio

from tests.support.wait import until

CONNECT_SECONDS = 2
PAUSE_SECONDS = 0.05
FINISH_SECONDS = 200

Data = dict[str, Any]


class Follower:
    """A spectator who connects again as often as it takes, each time with the `seq` of the last
    event that was received, `last_seq` in the beginning. `received` are all events of the lobby in
    the order of arrival; `refusals` are the codes of refused connects, or the errors of those that
    no server refused, `visits` how many were not refused."""

    def __init__(self, url: str, token: str, lobby_id: str, last_seq: int = 0) -> None:
        self.lobby_id = lobby_id
        self.received: list[tuple[str, Data]] = []
        self.refusals: list[str] = []
        self.visits = 0
        self.finished = asyncio.Event()
        self._url = url
        self._token = token
        self._namespace = f"/{lobby_id}"
        self._last_seq = last_seq
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        while not self._task.done():  # a client that is connecting may swallow it
            self._task.cancel()
            await asyncio.wait([self._task], timeout=PAUSE_SECONDS)

    @property
    def called(self) -> set[int]:
        """The numbers that were received so far."""
        return {data["number"] for name, data in self.received if name == "number_called"}

    async def wait_until_finished(self) -> None:
        """Return when the end of the game was received."""
        await until(self.finished.is_set, FINISH_SECONDS)

    async def _follow(self) -> None:
        while not self.finished.is_set():
            with suppress(socketio.exceptions.ConnectionError):  # no server, or cut off meanwhile
                await self._visit()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _visit(self) -> None:
        # A client for each visit: the stock client's own reconnection can run twice at once when it
        # is cut off while it connects. It does not close its session then either.
        async with aiohttp.ClientSession() as http:
            client = socketio.AsyncClient(reconnection=False, http_session=http)
            client.on("*", self._receive, namespace=self._namespace)
            client.on("connect_error", self._refused, namespace=self._namespace)
            try:
                await client.connect(
                    self._url,
                    auth={"token": self._token, "last_seq": self._last_seq},
                    namespaces=[self._namespace],
                    transports=["websocket"],
                    wait_timeout=CONNECT_SECONDS,
                )
                self.visits += 1
                await client.eio.wait()
            finally:
                await client.shutdown()

    def _refused(self, error: Any) -> None:
        self.refusals.append(error["data"]["code"] if isinstance(error, dict) else str(error))

    def _receive(self, event: str, data: Data) -> None:
        if event == "draining":  # it is of the server, not of the lobby
            return
        self.received.append((event, data))
        self._last_seq = data["seq"]
        if event == "game_finished":
            self.finished.set()
