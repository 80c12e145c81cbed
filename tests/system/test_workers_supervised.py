"""The parent of workers by itself: what it keeps in a place of theirs."""

import asyncio
import os
import signal

from server.assembly.workers.listening import listen
from server.assembly.workers.supervisor import Slot, Supervisor
from server.assembly.workers.worker import Worker
from tests.support.wait import until

PAUSE_SECONDS = 2.0
READY_AT_ONCE = """
import socket, sys
channel = socket.socket(fileno=int(sys.argv[2]))
channel.sendall(b'{"ready":null}\\n')
for line in channel.makefile("rb"):
    if b"leave" in line:
        break
"""
"""A worker that serves nobody, and so is ready sooner than the pause is over."""


async def test_a_place_that_was_filled_while_it_paused_after_a_death_has_one_worker() -> None:
    (public,) = listen("127.0.0.1", 0, 1)
    slot = Slot(1, public, ())
    pauses = (PAUSE_SECONDS, PAUSE_SECONDS)
    supervisor = Supervisor([slot], 0, print, pauses_seconds=pauses, program=("-c", READY_AT_ONCE))
    serving = asyncio.create_task(supervisor.run())
    seen: set[Worker] = set()

    async def another() -> Worker:
        """The worker in the place, when it is ready and none that was there before."""
        await until(lambda: slot.worker is not None and slot.worker.ready and is_new(slot.worker))
        assert slot.worker is not None
        seen.add(slot.worker)
        return slot.worker

    def is_new(worker: Worker) -> bool:
        return worker not in seen

    for _ in range(2):  # only the second death makes it pause
        worker = await another()
        os.kill(worker.pid, signal.SIGKILL)
        await worker.ended.wait()
    loop = asyncio.get_running_loop()
    until_s = loop.time() + PAUSE_SECONDS
    supervisor.replace()
    await another()
    await until(lambda: loop.time() > until_s + 1)
    assert slot.worker in seen
    supervisor.stop()
    assert await serving == 0
