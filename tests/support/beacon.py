"""A relay of a beacon over real HTTP, with faults to be chosen."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from aiohttp import web

from server.dev.beacon import DevBeacon

BeaconFault = Literal[
    "none", "late", "hangs", "other round", "forged", "nonsense", "error", "moved"
]


class ServedBeacon:
    """A relay of `beacon` at `url`. `fault` is what is wrong with its rounds, `info` what it
    answers to `/<chain_hash>/info`, and `asked` counts the requests of each path."""

    def __init__(self, beacon: DevBeacon | None = None) -> None:
        self.beacon = beacon or DevBeacon()
        self.info: Any = self.beacon.info()
        self.fault: BeaconFault = "none"
        self.asked: Counter[str] = Counter()
        self.url = ""

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a server that has this beacon."""
        chain = self.beacon.chain
        return {
            "BEACON_URL": self.url,
            "BEACON_CHAIN_HASH": chain.chain_hash,
            "BEACON_PUBLIC_KEY": chain.public_key,
        }

    async def answer(self, request: web.Request) -> web.Response:
        """Answer any request of the API."""
        self.asked[request.path] += 1
        name = request.path.rpartition("/")[2]
        if name == "info":
            return web.json_response(self.info)
        number = self.beacon.latest() if name == "latest" else int(name)
        match self.fault:
            case "late":
                raise web.HTTPNotFound
            case "hangs":
                await asyncio.Event().wait()
            case "other round":
                return web.json_response(self.beacon.answer(number - 1))
            case "forged":
                return web.json_response(DevBeacon().answer(number))
            case "nonsense":
                return web.Response(body=b"[" * 100)
            case "error":
                raise web.HTTPInternalServerError
            case "moved":
                raise web.HTTPFound("/elsewhere")
        if number > self.beacon.latest():
            raise web.HTTPNotFound
        return web.json_response(self.beacon.answer(number))


@asynccontextmanager
async def serving_beacon(beacon: DevBeacon | None = None) -> AsyncIterator[ServedBeacon]:
    """A relay of `beacon`, or of a new one, that answers for as long as the context lasts."""
    relay = ServedBeacon(beacon)
    application = web.Application()
    application.router.add_get("/{path:.*}", relay.answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        relay.url = f"http://{host}:{port}"
        yield relay
    finally:
        await runner.cleanup()
