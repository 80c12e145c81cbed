"""HTTP servers of tests on loopback, whether a URL answers, and what it answers in the end."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import httpx
from aiohttp import web

from server.transport.http.runner import Runner
from tests.support.wait import TIMEOUT_SECONDS

SHUTDOWN_TIMEOUT_SECONDS = 2
ANSWER_TIMEOUT_SECONDS = 5
PAUSE_SECONDS = 0.1
"""From one attempt to the next."""


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


async def answered(ask: Callable[[], Awaitable[httpx.Response]]) -> Any:
    """The JSON that a route answers; it is asked again where the store or the books are held up, or
    if it was asked too often."""
    give_up_s = time.monotonic() + TIMEOUT_SECONDS
    while True:
        answer = await ask()
        if answer.status_code not in (429, 503) or time.monotonic() > give_up_s:
            assert answer.is_success, answer.text
            return answer.json()
        await asyncio.sleep(PAUSE_SECONDS)
