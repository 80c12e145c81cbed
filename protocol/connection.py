"""A connection to a server: one Socket.IO connection in one namespace."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final, TypeVar

import socketio
from pydantic import BaseModel, ValidationError
from socketio.exceptions import BadNamespaceError, ConnectionError

from protocol.cancellation import raise_if_cancelled
from protocol.errors import ErrorAnswer, ErrorBody, ErrorCode
from protocol.reading import read

CONNECT_TIMEOUT_SECONDS: Final = 10
ANSWER_TIMEOUT_SECONDS: Final = 10

# They log every packet, tokens included, and the ordinary end of a connection as a warning.
_library_log = logging.getLogger(f"{__name__}.packets")
_library_log.setLevel(logging.ERROR)

_END: Final = None


class CommandRefused(Exception):
    """The server refused a command or a connection, with a code of the table; a newer server may
    have others, which are plain texts."""

    def __init__(self, error: ErrorBody) -> None:
        super().__init__(f"{error.code}: {error.message}")
        self.code: ErrorCode | str = error.code
        self.message = error.message
        self.retry = error.retry
        self.details = error.details


class ConnectionLost(Exception):
    """There is no connection, or none any more. Whether a command that was sent was carried out
    is not known."""

    code = "no_answer"
    retry = True


class Unreadable(ConnectionLost):
    """The server has sent what is no message of the protocol: nothing more can be had from it."""

    code = "unreadable"
    retry = False


M = TypeVar("M", bound=BaseModel)


def understood(model: type[M], message: Any) -> M:
    """The message as that model. Raises Unreadable if it is none, in any version."""
    try:
        return read(model, message)
    except ValidationError as error:
        raise Unreadable(f"this is no {model.__name__}") from error


class _Client(socketio.AsyncClient):  # type: ignore[misc]
    """Ends a connection on which something came that is no packet: what it was is not known, so
    whoever waits for it would wait for ever."""

    async def _handle_eio_message(self, data: Any) -> None:
        try:
            await super()._handle_eio_message(data)
        except Exception as error:  # noqa: BLE001 - the library's own, of many kinds
            _library_log.error("this is no packet: %r", error)
            await self.disconnect()


class ClientConnection:
    """A connection that `open` made. It is not made again when it ends."""

    def __init__(self, client: socketio.AsyncClient, namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        self._incoming: asyncio.Queue[tuple[str, dict[str, Any]] | None] = asyncio.Queue()
        client.on("*", self._receive, namespace=namespace)

    @classmethod
    async def open(cls, url: str, namespace: str, auth: Mapping[str, Any]) -> "ClientConnection":
        """Connect. Raises CommandRefused, or ConnectionLost if the server cannot be reached."""
        client = _Client(
            reconnection=False,
            handle_sigint=False,
            logger=_library_log,
            engineio_logger=_library_log,
        )
        connection = cls(client, namespace)
        try:
            await connection._connect(url, auth)
        except BaseException:
            await connection.close()
            raise
        return connection

    async def ask(self, command: str, **payload: Any) -> dict[str, Any]:
        """The acknowledgement of a command. Raises CommandRefused or ConnectionLost."""
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        try:
            await self._client.emit(command, payload, self._namespace, callback=reply.set_result)
        except BadNamespaceError as error:
            raise ConnectionLost(str(error)) from error
        await asyncio.wait(
            [reply, self._ended],
            timeout=ANSWER_TIMEOUT_SECONDS,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if not reply.done():
            raise ConnectionLost(f"no answer to {command}")
        answer = reply.result()
        if not isinstance(answer, dict) or answer.get("ok") is not True:
            raise CommandRefused(understood(ErrorAnswer, answer).error)
        return answer

    async def messages(self) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """What the server sends, by name and in order, until the connection ends."""
        while (message := await self._incoming.get()) is not _END:
            yield message
        self._incoming.put_nowait(_END)

    async def close(self) -> None:
        """End the connection, if it has not ended."""
        await self._client.disconnect()
        websocket = self._client.eio.ws
        if websocket is not None:  # the library forgets one on which nothing has come for long
            await websocket.close()

    async def _connect(self, url: str, auth: Mapping[str, Any]) -> None:
        refusals: list[Any] = []
        self._client.on("connect_error", refusals.append, namespace=self._namespace)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
                await self._client.connect(
                    url,
                    auth=dict(auth),
                    transports=["websocket"],
                    namespaces=[self._namespace],
                    wait_timeout=CONNECT_TIMEOUT_SECONDS,
                )
        except (ConnectionError, TimeoutError) as error:
            if (refused := _refusal(refusals)) is not None:
                raise CommandRefused(refused) from None
            raise ConnectionLost(f"cannot connect to {url}") from error
        raise_if_cancelled()
        self._ended = asyncio.create_task(self._client.eio.wait())
        self._ended.add_done_callback(lambda _: self._incoming.put_nowait(_END))

    def _receive(self, name: str, *said: Any) -> None:
        if said and isinstance(said[0], dict):  # else it is nothing that this version knows
            self._incoming.put_nowait((name, said[0]))


def _refusal(said: Sequence[Any]) -> ErrorBody | None:
    """Why the server refuses, if it has said so: else the connection itself failed."""
    try:
        return read(ErrorBody, said[0]["data"])
    except (LookupError, TypeError, ValidationError):
        return None
