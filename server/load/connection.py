"""Socket.IO as a participant speaks it: one namespace at a time, commands with acknowledgements."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import orjson

from protocol.ids import FRONT_DESK
from server.load.failures import Disconnected, RequestRefused
from server.load.meter import Meter
from server.load.stats import CommandName
from server.load.websocket import ClientWebSocket

ANSWER_SECONDS: Final = 30.0

# Types of packets (Socket.IO protocol 5).
_CONNECT, _DISCONNECT, _EVENT, _ACK, _CONNECT_ERROR = b"0", b"1", b"2", b"3", b"4"
_FRONT_DESK: Final = FRONT_DESK.encode()

EventHandler = Callable[[str, dict[str, Any]], None]
Acknowledgement = dict[str, Any]
T = TypeVar("T")


class LoadConnection:
    """One connection to the server. `on_end` is called when it has ended. `retry_after_seconds` is
    how long to wait then before connecting again, if the server has said so (`draining`)."""

    __slots__ = (
        "_entering",
        "_has_joined",
        "_left",
        "_meter",
        "_namespace",
        "_on_event",
        "_pending",
        "_socket",
        "on_end",
        "retry_after_seconds",
    )

    def __init__(self, socket: ClientWebSocket, meter: Meter) -> None:
        self.on_end: Callable[[], None] = lambda: None
        self.retry_after_seconds: float | None = None
        self._socket = socket
        self._meter = meter
        self._namespace = b""
        self._left = b""
        self._on_event: EventHandler | None = None
        self._entering: asyncio.Future[None] | None = None
        self._has_joined = False
        # By its ack id, a command, when it was sent (monotonic seconds), and what waits for it.
        self._pending: dict[int, tuple[CommandName, float, asyncio.Future[Acknowledgement]]] = {}
        socket.on_message = self._take
        socket.on_end = self._end

    async def opened(self) -> None:
        """Return when Engine.IO is ready. Raises RequestRefused or Disconnected."""
        await self._result(self._socket.opening)

    async def enter(
        self, namespace: str, auth: Mapping[str, Any], on_event: EventHandler | None = None
    ) -> None:
        """Leave the namespace that was joined before, and join another one. `on_event` gets the
        name and the message of each of its events.

        Raises RequestRefused or Disconnected.
        """
        if self._namespace:
            self._send(b"%b%b," % (_DISCONNECT, self._namespace))
            self._left = self._namespace
        self._namespace, self._on_event, self._has_joined = namespace.encode(), on_event, False
        self._entering = asyncio.get_running_loop().create_future()
        start_s = time.monotonic()
        self._send(b"%b%b,%b" % (_CONNECT, self._namespace, orjson.dumps(auth)))
        await self._result(self._entering)
        self._meter.since("enter", start_s)

    async def ask(self, command: CommandName, **payload: Any) -> Acknowledgement:
        """Send a command to the namespace: its acknowledgement, which is `ok`. Raises
        RequestRefused or Disconnected."""
        ack_id = max(self._pending, default=0) + 1
        reply: asyncio.Future[Acknowledgement] = asyncio.get_running_loop().create_future()
        self._pending[ack_id] = (command, time.monotonic(), reply)
        packet = (_EVENT, self._namespace, ack_id, orjson.dumps([command, payload]))
        self._send(b"%b%b,%d%b" % packet)
        answer = await self._result(reply)
        if not answer["ok"]:
            raise RequestRefused(answer["error"]["code"])
        return answer

    @property
    def has_ended(self) -> bool:
        """Whether the connection has ended, or is about to."""
        return self._socket.has_ended

    @property
    def has_joined(self) -> bool:
        """Whether a namespace is joined, or was when the connection ended."""
        return self._has_joined

    def is_in(self, namespace: str) -> bool:
        """Whether that namespace is the one that is joined."""
        return self._has_joined and self._namespace == namespace.encode()

    def check(self) -> None:
        """Raise Disconnected if the connection has ended."""
        if self._socket.has_ended:
            raise Disconnected

    def close(self) -> None:
        """Close the connection, with a closing handshake."""
        self._socket.close()

    def drop(self) -> None:
        """Cut the connection without a closing handshake."""
        self._socket.drop()

    def _send(self, packet: bytes) -> None:
        self.check()
        self._socket.send(packet)

    async def _result(self, waiting: asyncio.Future[T]) -> T:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await waiting
        except TimeoutError:
            self._meter.error("no_answer")
            self.drop()
            raise Disconnected from None

    def _take(self, packet: bytes) -> None:
        kind = packet[:1]
        namespace, _, document = packet[1:].partition(b",")
        if kind == _EVENT:
            self._take_event(namespace, document)
        elif kind == _ACK:
            self._take_answer(document)
        elif self._entering is not None and not self._entering.done():
            if kind == _CONNECT:
                self._has_joined = True
                self._entering.set_result(None)
            elif kind == _CONNECT_ERROR:
                self._entering.set_exception(RequestRefused(orjson.loads(document)["data"]["code"]))

    def _take_event(self, namespace: bytes, document: bytes) -> None:
        if document.startswith(b'["draining"'):
            self.retry_after_seconds = orjson.loads(document)[1]["retry_after_ms"] / 1000
        elif namespace == self._namespace:
            # What comes before the join is acknowledged was sent to the visit before, on this same
            # connection: it will be replayed.
            if self._has_joined and self._on_event is not None:
                self._on_event(*orjson.loads(document))
        # Until the join is acknowledged, events of what was left before may still be on their way;
        # `lobby_listed` also afterwards.
        elif namespace != _FRONT_DESK and (self._has_joined or namespace != self._left):
            self._meter.count("misrouted")

    def _take_answer(self, document: bytes) -> None:
        bracket = document.index(b"[")
        command, start_s, reply = self._pending.pop(int(document[:bracket]))
        self._meter.since(command, start_s)
        if not reply.done():
            reply.set_result(orjson.loads(document[bracket:])[0])

    def _end(self) -> None:
        for waiting in (self._entering, *(reply for _, _, reply in self._pending.values())):
            if waiting is not None and not waiting.done():
                waiting.set_exception(Disconnected())
        self.on_end()
