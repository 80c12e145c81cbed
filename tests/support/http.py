"""HTTP servers of tests on loopback, and whether a URL answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from server.transport.http.runner import Runner

SHUTDOWN_TIMEOUT_SECONDS = 2
ANSWER_TIMEOUT_SECONDS = 5


@asynccontextmanager
async def serve_app(app: web.Application, port: int = 0) -> AsyncIterator[str]:
    """Run `app` on a port of 127.0.0.1 (0: a free one) and give its URL, without a slash at the
    end."""
    runner = Runner(app, shutdown_seconds=SHUTDOWN_TIMEOUT_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        host, bound_port = runner.addresses[0]
        yield f"http://{host}:{bound_port}"
    finally:
        await runner.cleanup()


def http_session(concurrency: int = 0) -> aiohttp.ClientSession:
    """So many requests at once, 0: any number. No connection is kept as long as a server keeps one,
    which would close it while it is used."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=concurrency, keepalive_timeout=2)
    )


async def answers(url: str, status: int = 200) -> bool:
    """Whether `url` answers with this status, at the moment and within 5 s."""
    timeout = aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        try:
            async with session.get(url) as answer:
                return answer.status == status
        except (aiohttp.ClientError, TimeoutError):
            return False
