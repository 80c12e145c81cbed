"""Waiting for something to come true, instead of sleeping and hoping."""

import asyncio
import time
from collections.abc import Awaitable, Callable

TIMEOUT_SECONDS = 200.0
"""How long a machine may take that is slow and has other work as well."""
_FIRST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.05
_GROWTH = 1.2
"""By this factor the pause between two checks grows, so that what takes long is checked less often:
it is noticed late by the longest pause at most."""


async def until(
    holds: Callable[[], bool | Awaitable[bool]], timeout_seconds: float = TIMEOUT_SECONDS
) -> None:
    """Return as soon as `holds()`, plain or async, is true. Raises AssertionError when it is not
    within the time."""
    deadline = time.monotonic() + timeout_seconds
    pause_seconds = _FIRST_PAUSE_SECONDS
    while not await _value(holds()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {timeout_seconds} s")
        await asyncio.sleep(pause_seconds)
        pause_seconds = min(pause_seconds * _GROWTH, _LONGEST_PAUSE_SECONDS)


async def _value(result: bool | Awaitable[bool]) -> bool:
    return result if isinstance(result, bool) else await result
