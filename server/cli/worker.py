"""`python -m server.cli.worker`: one of the processes of `fair-bingo serve --workers N`, started by
their parent and by nobody else."""

import asyncio
import signal
import sys

import uvloop

from server.assembly.app import App
from server.assembly.http import InheritedSockets
from server.assembly.workers.handover import Handover, sockets
from server.assembly.workers.parent import Parent
from server.cli.console import settings_of_environment
from server.cli.running import CANNOT_SERVE, explained, run
from server.cli.stopping import stop_at_signals
from server.runtime.settings import Settings
from server.runtime.tasks import end


def main() -> None:
    """Serve on the sockets that the parent has handed over, until it asks to stop."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # that is for the parent, though all get it
    handover = Handover.of_arguments(sys.argv[1:])
    settings = settings_of_environment(worker=handover.number)
    sys.exit(uvloop.run(_work(settings, handover)))


async def _work(settings: Settings, handover: Handover) -> int:
    parent = await Parent.connect(handover.channel)
    inherited = InheritedSockets(sockets(handover.public), sockets(handover.metrics))
    app = App(settings, inherited=inherited, metrics_text=parent.metrics)
    parent.report = app.metrics.report
    terminated, stop = asyncio.Event(), asyncio.Event()
    stop_at_signals(terminated.set)
    stopping = asyncio.create_task(_stop_when_asked(terminated, parent, stop))
    try:
        await run(app, stop, parent.ready)
    except CANNOT_SERVE as error:
        reason, code = explained(error)
        await parent.failed(reason)
        return code
    finally:
        stopping.cancel()
    await _end(app, settings.drain_seconds, terminated, parent)
    await parent.close()
    return 0


async def _stop_when_asked(terminated: asyncio.Event, parent: Parent, stop: asyncio.Event) -> None:
    await _first(terminated, parent.leaving, parent.gone)
    stop.set()


async def _end(app: App, drain_seconds: float, terminated: asyncio.Event, parent: Parent) -> None:
    if parent.leaving.is_set():
        leaving = asyncio.create_task(app.leave(drain_seconds))
        interrupted = asyncio.create_task(_first(terminated, parent.gone))
        await asyncio.wait([leaving, interrupted], return_when=asyncio.FIRST_COMPLETED)
        interrupted.cancel()
        if leaving.done():
            await leaving
            return
        await end(leaving)
    await app.stop(drain_seconds)


async def _first(*events: asyncio.Event) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()


if __name__ == "__main__":
    main()
