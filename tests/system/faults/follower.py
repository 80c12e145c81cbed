"""Someone who follows a lobby on a stock client, through every cut, from its first event on."""

import asyncio
from contextlib import suppress
from typing import Any, Self

import aiohttp
import socketio

from tests.support.wait import until

CONNECT_SECONDS = 2
PAUSE_SECONDS = 0.05
FINISH_SECONDS = 100

Data = dict[str, Any]


class Follower:
    """A spectator who comes back as often as it takes, each time with the `seq` of the last event
    it saw, `last_seq` in the beginning. `received` is everything that came of the lobby, in the
    order of arrival; `refusals` why it was not let in."""

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
        self._replicas: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._replicas = asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._replicas is not None
        while not self._replicas.done():  # a client that was just connecting may forget it
            self._replicas.cancel()
            await asyncio.wait([self._replicas], timeout=PAUSE_SECONDS)

    @property
    def called(self) -> set[int]:
        """The numbers that were received so far."""
        return {data["number"] for name, data in self.received if name == "number_called"}

    async def wait_until_finished(self) -> None:
        """Return when the end of the game was received."""
        await until(self.finished.is_set, FINISH_SECONDS)

    async def _follow(self) -> None:
        while not self.finished.is_set():
            with suppress(socketio.exceptions.ConnectionError):  # nobody there, or cut meanwhile
                await self._visit()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _visit(self) -> None:
        # A client for each visit: the stock client's own way of coming back can run twice at
        # once when it is cut while it connects. It does not close its session then either.
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

    def _refused(self, why: Any) -> None:
        self.refusals.append(str(why))

    def _receive(self, event: str, data: Data) -> None:
        if event == "draining":  # of the server, not of the lobby
            return
        self.received.append((event, data))
        self._last_seq = data["seq"]
        if event == "game_finished":
            self.finished.set()
