"""What a server's process does around the server: it runs it, and says why it cannot serve."""

import asyncio
from collections.abc import Callable
from typing import Final

from server.assembly.app import App
from server.assembly.books import BooksMissing
from server.assembly.listening import CannotListen
from server.assembly.stores import WeakDurability
from server.cli.stopping import done_before
from server.outside.drand import BeaconContradicts
from server.runtime.exit_codes import BAD_SETTINGS, FAILED
from server.runtime.garbage import collect_when_grown, freeze_heap

CANNOT_SERVE: Final = (BeaconContradicts, BooksMissing, WeakDurability, CannotListen)


def explained(error: Exception) -> tuple[str, int]:
    """Why a server cannot serve, as a line for the operator, and the exit code."""
    is_taken = isinstance(error, CannotListen) and not error.no_address
    return str(error), FAILED if is_taken else BAD_SETTINGS


async def run(app: App, stop: asyncio.Event, ready: Callable[[], None] = lambda: None) -> None:
    """Start the server, call `ready` when it serves, and return when `stop` is set."""
    if await done_before(stop, app.start()):
        ready()
        freeze_heap()
        collecting = asyncio.create_task(collect_when_grown())
        await stop.wait()
        collecting.cancel()
