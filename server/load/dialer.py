"""Opens connections to the server, from each of the target's source addresses in turn."""

import asyncio
import time
from itertools import cycle

from server.load.connection import LoadConnection
from server.load.failures import RequestRefused
from server.load.meter import Meter
from server.load.target import Target
from server.load.websocket import ClientWebSocket


class Dialer:
    """Opens connections to the target, and measures their handshakes."""

    def __init__(self, target: Target, meter: Meter) -> None:
        self._target = target
        self._meter = meter
        self._tls = target.tls()
        self._source_addresses = cycle(target.source_addresses or [None])

    async def dial(self) -> LoadConnection:
        """A new connection, on which Engine.IO is ready. Raises RequestRefused or Disconnected."""
        start_s = time.monotonic()
        connection = LoadConnection(await self._connect(), self._meter)
        try:
            await connection.opened()
        except BaseException:
            connection.drop()
            raise
        self._meter.since("connect", start_s)
        self._meter.count("connections")
        return connection

    async def _connect(self) -> ClientWebSocket:
        target, source = self._target, next(self._source_addresses)
        try:
            _, socket = await asyncio.get_running_loop().create_connection(
                lambda: ClientWebSocket(target.netloc, self._meter),
                target.address,
                target.port,
                ssl=self._tls,
                server_hostname=target.host if self._tls else None,
                local_addr=None if source is None else (source, 0),
            )
        except OSError as error:
            raise RequestRefused(f"cannot_connect_{type(error).__name__}") from error
        return socket
