"""A server of the stock parts alone, as their documentation has it, to try the same things on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import socketio
from aiohttp import web

from tests.support.http import serve_app


class StockServer(socketio.AsyncNamespace):  # type: ignore[misc]  # ships no types
    """Every namespace, open to whoever has a token; `port` is there while it runs."""

    def __init__(self) -> None:
        super().__init__("*")
        self.port = 0
        self.welcomed = 0
        self._sids: list[tuple[str, str]] = []

    async def on_connect(self, namespace: str, sid: str, _environ: Any, auth: Any = None) -> None:
        if not (auth or {}).get("token"):
            raise socketio.exceptions.ConnectionRefusedError("a token is needed")
        self.welcomed += 1
        self._sids.append((sid, namespace))

    async def on_echo(self, _namespace: str, _sid: str, payload: Any = None) -> dict[str, Any]:
        return {"ok": True, "payload": payload}

    async def dismiss(self) -> None:
        """Disconnect everyone."""
        for sid, namespace in self._sids:
            await self.disconnect(sid, namespace=namespace)


@asynccontextmanager
async def stock_server() -> AsyncIterator[StockServer]:
    """Such a server on a free port."""
    server = StockServer()
    sio = socketio.AsyncServer(async_mode="aiohttp", namespaces="*")
    sio.register_namespace(server)
    app = web.Application()
    sio.attach(app)
    async with serve_app(app) as url:
        server.port = int(url.rpartition(":")[2])
        yield server
        await sio.shutdown()
