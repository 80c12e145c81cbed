"""The commands that serve: `serve`, and for development `dev` and `demo`."""

import asyncio
import os
import signal
import socket

import typer
import uvloop
from rich.console import Console

from server.assembly.app import App
from server.assembly.books import BooksMissing
from server.assembly.stores import WeakDurability
from server.cli.console import BAD_SETTINGS, FAILED, fail, settings_of_environment
from server.runtime.garbage import collect_when_grown, spare_what_stays
from server.runtime.settings import Settings, SettingsError


def serve() -> None:
    """Serve the game, with everything from the environment."""
    settings = settings_of_environment()
    try:
        uvloop.run(_serve(settings))
    except (BooksMissing, WeakDurability) as error:
        fail(str(error), BAD_SETTINGS)
    except OSError as error:
        is_no_address = isinstance(error, socket.gaierror)
        fail(
            f"cannot listen on HOST {settings.host}:{settings.port}: {error.strerror}",
            BAD_SETTINGS if is_no_address else FAILED,
        )


def dev() -> None:
    """Serve the game for development: embedded store, tokens and payments of our own, bots."""
    # Production has none of what these import.
    from server.dev.serve import serve_dev
    from server.dev.store import EmbeddedStoreError

    try:
        uvloop.run(serve_dev(os.environ))
    except SettingsError as error:
        fail(str(error), BAD_SETTINGS)
    except (EmbeddedStoreError, OSError) as error:
        fail(str(error))


def demo() -> None:
    """Play one fast game between bots, and check its proof and the ledger."""
    from server.dev.demo import play_demo

    raise typer.Exit(uvloop.run(play_demo(Console())))


async def _serve(settings: Settings) -> None:
    app = App(settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    starting = asyncio.create_task(app.start())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
    if starting.done():
        await starting
        spare_what_stays()
        collecting = asyncio.create_task(collect_when_grown())
        await stopping
        collecting.cancel()
    else:
        starting.cancel()
        await asyncio.wait([starting])
    await app.stop(settings.drain_seconds)
