"""What Python 3.11 forgets."""

import asyncio


def raise_if_cancelled() -> None:
    """Raise CancelledError if this task was cancelled and the library that it was in forgot it.

    asyncio.wait_for does so before Python 3.12, if what it waits for comes in the same pass of the
    event loop.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
