"""What a server's process does around the server: it starts and ends it, and says why not."""

import asyncio
import signal
from collections.abc import Callable
from typing import Final

from server.assembly.app import App
from server.assembly.books import BooksMissing
from server.assembly.listening import CannotListen
from server.assembly.stores import WeakDurability
from server.cli.console import BAD_SETTINGS, FAILED
from server.outside.drand import BeaconContradicts
from server.runtime.garbage import collect_when_grown, spare_what_stays

CANNOT_SERVE: Final = (BeaconContradicts, BooksMissing, WeakDurability, CannotListen)


def explained(error: Exception) -> tuple[str, int]:
    """Why a server cannot serve, as a line for the operator, and the exit code."""
    is_taken = isinstance(error, CannotListen) and not error.no_address
    return str(error), FAILED if is_taken else BAD_SETTINGS


def stop_at_signals(stop: Callable[[], None]) -> None:
    """Call `stop` at SIGTERM and SIGINT."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)


async def run(app: App, stop: asyncio.Event, ready: Callable[[], None] = lambda: None) -> None:
    """Start it, say when it is `ready`, and serve until `stop` is set."""
    starting = asyncio.create_task(app.start())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
    if starting.done():
        await starting
        ready()
        spare_what_stays()
        collecting = asyncio.create_task(collect_when_grown())
        await stopping
        collecting.cancel()
    else:
        starting.cancel()
        await asyncio.wait([starting])
