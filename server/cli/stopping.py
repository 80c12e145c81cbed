"""What goes on until it is asked to stop: how a process is asked, and the work in between."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from server.assembly.books import BooksSide, books_side
from server.assembly.stores import Stores
from server.runtime.clock import StoreClock
from server.runtime.metrics import Metrics
from server.runtime.settings import Settings
from server.runtime.tasks import end

T = TypeVar("T")


def stop_at_signals(stop: Callable[[], None]) -> None:
    """Call `stop` at SIGTERM and SIGINT."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)


async def done_before(stop: asyncio.Event, work: Coroutine[Any, Any, object]) -> bool:
    """Do `work`, unless `stop` is set first: then it is cancelled. Returns whether it was done.
    Raises what it raises."""
    working = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not working.done():
        await end(working)
        return False
    await working
    return True


async def work_until_stopped(
    settings: Settings, work: Callable[[BooksSide, Stores, asyncio.Event], Awaitable[T]]
) -> T | None:
    """Do a command's `work` on the books, which the settings name, and the store, as soon as both
    can be used. SIGTERM and SIGINT set its event. Returns what it does; None if a signal came
    first.

    Raises BooksMissing and WeakDurability.
    """
    clock = StoreClock()
    stores = Stores(settings, clock, Metrics())
    books = books_side(settings, stores, clock)
    assert books is not None  # noqa: S101 - the settings name them
    stop = asyncio.Event()
    stop_at_signals(stop.set)
    try:
        await books.check()
        if not await done_before(stop, stores.wait_until_usable()):
            return None
        return await work(books, stores, stop)
    finally:
        await books.close()
        await stores.close()
