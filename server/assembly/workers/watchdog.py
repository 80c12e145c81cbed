"""Whether a worker still does anything: it is asked now and then, and one that does not answer for
long, as when its event loop is blocked, is ended."""

import asyncio
from contextlib import suppress
from typing import Final, NamedTuple

import structlog

from server.assembly.workers.worker import Worker

log = structlog.get_logger(__name__)


class Patience(NamedTuple):
    """How long a worker may not answer: until its first message, and after any other; how much
    longer until it is ended; and how often it is asked."""

    start_seconds: float = 120.0
    silent_seconds: float = 20.0
    grace_seconds: float = 10.0
    ask_seconds: float = 5.0


PATIENCE: Final = Patience()


async def end_if_silent(worker: Worker, patience: Patience) -> None:
    """Kill a worker that does not answer for longer than it may. Returns when it has ended."""
    silent_seconds, is_reported = 0.0, False
    while not worker.ended.is_set():
        received = worker.received
        worker.ask()
        with suppress(TimeoutError):
            await asyncio.wait_for(worker.ended.wait(), patience.ask_seconds)
        # Intervals are added up, instead of reading a clock: if the whole machine stood still, or
        # this process alone, that counts as one interval.
        silent_seconds = (
            0.0 if worker.received > received else silent_seconds + patience.ask_seconds
        )
        bound_seconds = patience.silent_seconds if worker.received else patience.start_seconds
        if silent_seconds >= bound_seconds and not is_reported:
            is_reported = True
            log.error(
                "worker_hangs",
                worker=worker.number,
                pid=worker.pid,
                silent_seconds=silent_seconds,
                ended_in_seconds=patience.grace_seconds,
            )
        elif silent_seconds >= bound_seconds + patience.grace_seconds:
            worker.hung = True
            worker.kill()
        elif silent_seconds == 0:
            is_reported = False
