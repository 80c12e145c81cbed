"""Somebody on python-socketio's stock client."""

import asyncio
import time
from typing import Any, Self

import socketio

from tests.support.wait import TIMEOUT_SECONDS, until
from tests.system.shapes import ANSWERS, REFUSAL, ROOM_EVENTS, assert_transcript
from tests.system.spec import assert_shape

Data = dict[str, Any]

PAUSE_SECONDS = 0.1
"""From one attempt to the next."""


class Visitor:
    """One connection in one namespace. `received` is every event with its data, in the order of
    arrival; `sent_away` says that a disconnect packet came. Every answer, and in the end all that
    was received, must be of the promised shape. `store_goes_back`: a state may begin another
    history, of whatever length it is by then."""

    def __init__(self, url: str, name: str, token: str) -> None:
        self.name = name
        self.received: list[tuple[str, Data]] = []
        self.connected = False
        self.sent_away = False
        self.store_goes_back = False
        self._url = url
        self._token = token
        self._namespace = ""
        self._refusal: Data = {}
        self._client = socketio.AsyncClient(reconnection=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await self._client.shutdown()
        if kind is None:
            assert_transcript(self.received, begins_anew=self.store_goes_back)

    async def enter(self, place: str, **auth: Any) -> Self:
        """Join a namespace, which must not be refused; `auth` goes with the token."""
        self._namespace = f"/{place}"
        self._client.on("*", self._receive, namespace=self._namespace)
        self._client.on("disconnect", self._end, namespace=self._namespace)
        self._client.on("connect_error", self._refusal.update, namespace=self._namespace)
        await until(lambda: self._is_let_in(auth))
        return self

    async def refused(self, place: str) -> Data:
        """Try to join a namespace, which must be refused: the error."""
        try:
            await self.enter(place)
        except socketio.exceptions.ConnectionError:
            error: Data = self._refusal["data"]
            return error
        raise AssertionError("it was let in")

    async def ask(self, command: str, payload: Any = None) -> Data:
        """The answer to a command, which is no refusal."""
        # As clients do: a store that does not answer in time is no failure of a test.
        give_up_s = time.monotonic() + TIMEOUT_SECONDS
        while True:
            answer = await self.answer(command, payload)
            is_unavailable = not answer["ok"] and answer["error"]["code"] == "unavailable"
            if not is_unavailable or time.monotonic() > give_up_s:
                break
            await asyncio.sleep(PAUSE_SECONDS)
        assert_shape(answer, ANSWERS[command])
        return answer

    async def refusal(self, command: str, payload: Any = None) -> str:
        """The code that a command is refused with."""
        answer = await self.answer(command, payload)
        assert_shape(answer, REFUSAL)
        return str(answer["error"]["code"])

    async def answer(self, command: str, payload: Any) -> Data:
        """The answer to a command, whatever it is."""
        data = {} if payload is None else payload
        answer: Data = await self._client.call(
            command, data, namespace=self._namespace, timeout=TIMEOUT_SECONDS
        )
        return answer

    async def receives(self, event: str, **facts: Any) -> Data:
        """The first event of that name, received or yet to come, that has these fields."""
        await until(lambda: self._find(event, facts) is not None)
        found = self._find(event, facts)
        assert found is not None
        return found

    async def ends(self) -> None:
        """Return when the connection has ended."""
        await until(lambda: not self.connected)

    def of(self, event: str) -> list[Data]:
        """What was received under that name so far."""
        return [data for name, data in self.received if name == event]

    @property
    def seqs(self) -> list[int]:
        """The `seq` of the room's events that were received so far."""
        return [data["seq"] for name, data in self.received if name in ROOM_EVENTS]

    @property
    def called(self) -> set[int]:
        """The numbers that were received so far."""
        return {data["number"] for data in self.of("number_called")}

    async def _is_let_in(self, auth: Data) -> bool:
        try:
            await self._client.connect(
                self._url,
                auth={"token": self._token, **auth},
                namespaces=[self._namespace],
                transports=["websocket"],
                wait_timeout=TIMEOUT_SECONDS,
            )
        except socketio.exceptions.ConnectionError:
            # As clients do: a store that does not answer in time is no failure of a test.
            if self._refusal.get("data", {}).get("code") != "unavailable":
                raise
            self._refusal.clear()
        else:
            self.connected = True
            # A ping that comes late is no end of the server.
            self._client.eio.ping_timeout = TIMEOUT_SECONDS
        return self.connected

    def _receive(self, event: str, data: Data) -> None:
        self.received.append((event, data))

    def _end(self, reason: str) -> None:
        self.connected = False
        self.sent_away = reason == self._client.reason.SERVER_DISCONNECT

    def _find(self, event: str, facts: Data) -> Data | None:
        fits = (data for data in self.of(event) if facts.items() <= data.items())
        return next(fits, None)
