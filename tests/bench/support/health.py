"""How soon a busy server answers a health check."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import quantiles
from typing import Final

import aiohttp

_PAUSE_SECONDS: Final = 0.25


class HealthProbe:
    """Asks a server at `url` for `/health`, again a quarter of a second after each answer."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._latencies_ms: list[float] = []

    @property
    def p95_ms(self) -> float:
        """The 95th percentile of the latencies so far."""
        return round(quantiles(self._latencies_ms, n=20)[-1], 1)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Ask meanwhile, until an answer is not good."""
        task = asyncio.create_task(self._ask())
        try:
            yield
        finally:
            task.cancel()

    async def _ask(self) -> None:
        async with aiohttp.ClientSession(self._url) as http:
            while True:
                begun_s = time.perf_counter()
                async with http.get("/health") as answer:
                    assert answer.status == 200
                    await answer.read()
                self._latencies_ms.append((time.perf_counter() - begun_s) * 1000)
                await asyncio.sleep(_PAUSE_SECONDS)
