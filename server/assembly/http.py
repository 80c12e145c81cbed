"""The HTTP servers: they listen, let go of their connections, and end."""

import asyncio
from collections.abc import Sequence
from socket import socket
from typing import Final, NamedTuple

from aiohttp import web

from server.assembly.listening import PORTS, listening_on
from server.runtime.settings import Settings
from server.transport.http.runner import Runner

REQUEST_SECONDS: Final = 8.0
"""How long a request in flight may take when the process stops; the store takes 5 at most."""
BACKLOG: Final = 4096
POLL_SECONDS: Final = 0.1


class InheritedSockets(NamedTuple):
    """Sockets of the parent that listen already, in place of ports of our own."""

    public: Sequence[socket]
    metrics: Sequence[socket]


class Http:
    """The HTTP servers of one process: of the `public` routes, and of the `metrics` if those have a
    port of their own. They listen on the `inherited` sockets, if there are any."""

    def __init__(
        self,
        settings: Settings,
        public: web.Application,
        metrics: web.Application | None,
        keep_alive_seconds: float,
        inherited: InheritedSockets | None,
    ) -> None:
        self._settings = settings
        self._inherited = inherited
        self._sites: list[web.BaseSite] = []

        def runner(app: web.Application) -> Runner:
            return Runner(
                app,
                keep_alive_seconds=keep_alive_seconds,
                shutdown_seconds=REQUEST_SECONDS,
                trusted_proxies=settings.trusted_proxies,
            )

        self._runners = {runner(public): settings.port}
        if metrics is not None and settings.metrics_port is not None:
            self._runners[runner(metrics)] = settings.metrics_port

    async def listen(self) -> str:
        """Begin to listen. Returns the URL of the public server. Raises CannotListen if a port
        cannot be had."""
        host = self._settings.host
        inherited: Sequence[Sequence[socket]] = self._inherited or [()] * len(self._runners)
        parts = zip(self._runners.items(), PORTS, inherited, strict=False)
        for (runner, port), setting, sockets in parts:
            await runner.setup()
            sites: Sequence[web.BaseSite] = (
                [web.TCPSite(runner, host, port, backlog=BACKLOG)]
                if self._inherited is None
                else [web.SockSite(runner, each, backlog=BACKLOG) for each in sockets]
            )
            with listening_on(host, setting, port):
                for site in sites:
                    await site.start()
            self._sites += sites
        public = next(iter(self._runners))
        return f"http://{host}:{public.addresses[0][1]}"

    async def leave(self) -> None:
        """Listen no more, and return when all connections have ended: each after its next answer,
        or when it was idle for long."""
        for site in self._sites:
            await site.stop()
        for runner in self._runners:
            runner.end_connections()
        while True:
            if not any(runner.connections for runner in self._runners):
                break
            await asyncio.sleep(POLL_SECONDS)

    async def close(self) -> None:
        """Answer what was asked, and close all connections."""
        for runner in self._runners:
            await runner.cleanup()
