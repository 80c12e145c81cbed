"""Connections on which the next answer is the answer to the next question."""

import select
from typing import Any
from weakref import WeakSet

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection


class FreshConnections(aiohttp.TCPConnector):
    """Does not use a connection again on which anything came that was not asked for. Such as a
    second answer to the question before: it would be taken for the answer to the next one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._used_before: WeakSet[ResponseHandler] = WeakSet()

    async def connect(
        self, req: ClientRequest, traces: list[Any], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        """A connection of the pool, or a new one."""
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            if protocol is not None and protocol not in self._used_before:
                # On a new one nobody was asked before. Yet something may be there: what TLS sends
                # after its handshake, or that the server is busy. Others would have it too.
                self._used_before.add(protocol)
                return connection
            if not _has_unasked(connection):
                return connection
            connection.close()


def _has_unasked(connection: Connection) -> bool:
    protocol = connection.protocol
    if protocol is None or protocol.should_close or connection.transport is None:
        return True
    unread = select.poll()
    unread.register(connection.transport.get_extra_info("socket").fileno(), select.POLLIN)
    return bool(unread.poll(0))
