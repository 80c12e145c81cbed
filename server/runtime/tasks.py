"""Tasks that go on beside all else until they are ended."""

import asyncio
from typing import Any


async def end(*tasks: asyncio.Task[Any] | None, again_seconds: float | None = None) -> None:
    """Cancel these tasks, but for those that are None, and return when they have ended, however
    they did. With `again_seconds` they are cancelled again every so often until they have: a
    library may swallow the first time."""
    left = [task for task in tasks if task is not None and not task.done()]
    while left:
        for task in left:
            task.cancel()
        _, pending = await asyncio.wait(left, timeout=again_seconds)
        left = [*pending]
