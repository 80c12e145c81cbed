"""The commands that serve: `serve`, and for development `dev` and `demo`."""

import asyncio
import os
import signal
from collections.abc import Sequence
from socket import socket
from typing import Annotated

import structlog
import typer
import uvloop

from server.assembly.app import App
from server.assembly.listening import PORTS, listening_on
from server.assembly.workers.listening import cores, listen
from server.assembly.workers.supervisor import Slot, Supervisor
from server.cli.console import fail, notice, settings_of_environment
from server.cli.running import CANNOT_SERVE, explained, run
from server.cli.stopping import stop_at_signals
from server.runtime.exit_codes import BAD_SETTINGS
from server.runtime.settings import Settings, SettingsError

log = structlog.get_logger(__name__)

Workers = Annotated[
    str | None,
    typer.Option(help="Processes on the port, WORKERS; 0: one for each core.", metavar="N"),
]


def serve(workers: Workers = None) -> None:
    """Serve the game, with everything from the environment."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # or it ends the process before it is handled
    settings = settings_of_environment(workers=workers)
    try:
        code = uvloop.run(_serve(settings) if settings.workers == 1 else _supervise(settings))
    except CANNOT_SERVE as error:
        fail(*explained(error))
    raise typer.Exit(code)


def dev() -> None:
    """Serve the game for development. With an embedded store and books, tokens and payments of our
    own, and bots."""
    # Imported here: production does not have what these import installed.
    from server.dev.serve import serve_dev
    from server.dev.store import EmbeddedStoreError

    try:
        uvloop.run(serve_dev(os.environ))
    except SettingsError as error:
        fail(str(error), BAD_SETTINGS)
    except (EmbeddedStoreError, OSError) as error:
        fail(str(error))


def demo() -> None:
    """Play one fast game between bots, and check proof and ledger."""
    from rich.console import Console

    from server.dev.demo import play_demo

    raise typer.Exit(uvloop.run(play_demo(Console())))


async def _serve(settings: Settings) -> int:
    app = App(settings)
    stop = asyncio.Event()
    stop_at_signals(stop.set)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _stay)
    await run(app, stop)
    await app.stop(settings.drain_seconds)
    return 0


def _stay() -> None:
    log.warning("not_replaced", why="one process has nobody to replace it: see WORKERS")


async def _supervise(settings: Settings) -> int:
    count = settings.workers or cores()
    public, metrics = (
        _listening(settings.host, setting, port, count)
        for setting, port in zip(PORTS, (settings.port, settings.metrics_port), strict=True)
    )
    numbers = range(1, count + 1)
    slots = [Slot(*each) for each in zip(numbers, public, metrics, strict=True)]
    supervisor = Supervisor(slots, settings.drain_seconds, notice)
    stop_at_signals(supervisor.stop)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, supervisor.replace)
    return await supervisor.run()


def _listening(host: str, setting: str, port: int | None, count: int) -> Sequence[Sequence[socket]]:
    if port is None:
        return [()] * count
    with listening_on(host, setting, port):
        return listen(host, port, count)
