"""How soon a server that is busy says that it is well."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import quantiles
from typing import Final

import aiohttp

_PAUSE_SECONDS: Final = 0.25


class HealthProbe:
    """Asks for `/health` again and again."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._each_ms: list[float] = []

    @property
    def p95_ms(self) -> float:
        """Of all answers, which were all good."""
        return round(quantiles(self._each_ms, n=20)[-1], 1)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Ask meanwhile."""
        task = asyncio.create_task(self._ask())
        try:
            yield
        finally:
            task.cancel()

    async def _ask(self) -> None:
        async with aiohttp.ClientSession(self._url) as http:
            while True:
                begun = time.perf_counter()
                async with http.get("/health") as answer:
                    assert answer.status == 200
                    await answer.read()
                self._each_ms.append((time.perf_counter() - begun) * 1000)
                await asyncio.sleep(_PAUSE_SECONDS)
