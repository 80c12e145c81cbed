"""A connection to a server: one Socket.IO connection in one namespace."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import socketio
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


class Connection:
    """A connection that `open` made. It is not made again when it ends."""

    def __init__(self, client: socketio.AsyncClient, namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        self._incoming: asyncio.Queue[tuple[str, dict[str, Any]] | None] = asyncio.Queue()
        client.on("*", self._receive, namespace=namespace)

    @classmethod
    async def open(cls, url: str, namespace: str, auth: Mapping[str, Any]) -> "Connection":
        """Connect. Raises CommandRefused, or ConnectionLost if the server cannot be reached."""
        client = socketio.AsyncClient(
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
        reply: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
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
        if not reply.result()["ok"]:
            raise CommandRefused(read(ErrorAnswer, reply.result()).error)
        return reply.result()

    async def messages(self) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """What the server sends, by name and in order, until the connection ends."""
        while (message := await self._incoming.get()) is not _END:
            yield message
        self._incoming.put_nowait(_END)

    async def close(self) -> None:
        """End the connection, if it has not ended."""
        await self._client.disconnect()

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
            if refusals and isinstance(refusals[0], dict):  # else the connection itself failed
                refused = read(ErrorBody, refusals[0]["data"])
                raise CommandRefused(refused) from None
            raise ConnectionLost(f"cannot connect to {url}") from error
        raise_if_cancelled()
        self._ended = asyncio.create_task(self._client.eio.wait())
        self._ended.add_done_callback(lambda _: self._incoming.put_nowait(_END))

    def _receive(self, name: str, *said: Any) -> None:
        if said and isinstance(said[0], dict):  # else it is nothing that this version knows
            self._incoming.put_nowait((name, said[0]))
