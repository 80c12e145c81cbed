"""Tasks that go on beside all else until they are ended."""

import asyncio
from typing import Any


async def end(task: asyncio.Task[Any] | None) -> None:
    """Cancel a task, if there is one, and return when it has ended, however it did."""
    if task is not None:
        task.cancel()
        await asyncio.wait([task])
