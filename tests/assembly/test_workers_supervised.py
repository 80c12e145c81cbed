"""The parent of workers by itself: what it keeps in a place of theirs, and what becomes of those
that hang, or send what is no message. They are small programs that serve nobody."""

import asyncio
import os
import resource
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from server.assembly.workers.handover import MESSAGE_BYTES
from server.assembly.workers.listening import listen
from server.assembly.workers.supervisor import LOOP_DEATHS, Slot, Supervisor
from server.assembly.workers.watchdog import PATIENCE, Patience
from server.assembly.workers.worker import Worker
from tests.support.wait import until

PAUSE_SECONDS = 2.0
IMPATIENT = Patience(start_seconds=100, silent_seconds=6, grace_seconds=3, ask_seconds=0.1)
PROGRAM = f"""
import signal, socket, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
does, channel = sys.argv[1], socket.socket(fileno=int(sys.argv[3]))
if does == "starts never":
    time.sleep(1000)
channel.sendall(b'{{"ready":null}}\\n')
if does == "hangs up":
    channel.close()
    time.sleep(1000)
report = {{
    "sends no JSON": b"Segmentation fault\\n",
    "sends no text": b'{{"\\xff":null}}\\n',
    "sends no report": b'{{"report":[["fair_bingo_sockets","","gauge","sum",[["x",[],"y"]]]]}}\\n',
    "never ends": b"x" * {MESSAGE_BYTES + 1},
}}.get(does, b'{{"report":[["a","","gauge","avg",[["a",{{}},null],["a",{{}},1]]]]}}\\n')
for number, line in enumerate(channel.makefile("rb")):
    if b"leave" in line:
        break
    if b"report" in line and (does != "is slow" or number % 4 == 0):
        channel.sendall(report)
"""
"""A worker that serves nobody, and so is ready at once."""


@asynccontextmanager
async def supervised(
    does: str = "is well", *, pauses_seconds: tuple[float, float] = (0, 0), **options: Any
) -> AsyncIterator[tuple[Supervisor, Slot, asyncio.Task[int]]]:
    """A parent with one place for workers that do this; its run is stopped in the end."""
    (public,) = listen("127.0.0.1", 0, 1)
    slot, program = Slot(1, public, ()), ("-c", PROGRAM, does)
    supervisor = Supervisor(
        [slot], 0, print, pauses_seconds=pauses_seconds, program=program, **options
    )
    serving = asyncio.create_task(supervisor.run())
    try:
        yield supervisor, slot, serving
    finally:
        supervisor.stop()
        await serving


async def another(slot: Slot, *seen: Worker) -> Worker:
    """The worker in the place, when it is ready and none of these."""

    def is_there() -> bool:
        return slot.worker is not None and slot.worker.ready and slot.worker not in seen

    await until(is_there)
    assert slot.worker is not None
    return slot.worker


def events(logs: list[Any]) -> list[str]:
    """The names of these lines."""
    return [line["event"] for line in logs]


async def test_a_place_that_was_filled_while_it_paused_after_a_death_has_one_worker() -> None:
    pauses_seconds = (PAUSE_SECONDS, PAUSE_SECONDS)
    async with supervised(pauses_seconds=pauses_seconds) as (supervisor, slot, _):
        seen: list[Worker] = []
        for _ in range(2):  # only the second death makes it pause
            seen.append(await another(slot, *seen))
            os.kill(seen[-1].pid, signal.SIGKILL)
            await seen[-1].ended.wait()
        loop = asyncio.get_running_loop()
        until_s = loop.time() + PAUSE_SECONDS
        supervisor.replace()
        seen.append(await another(slot, *seen))
        await until(lambda: loop.time() > until_s + 1)
        # Not one of those seen, if the pause was over before all were to be replaced.
        await until(lambda: supervisor._running == {slot.worker})


async def test_a_worker_that_hangs_is_replaced_and_logged_in_one_line() -> None:
    with capture_logs() as logs:
        async with supervised(patience=IMPATIENT) as (_, slot, serving):
            hung = await another(slot)
            await until(lambda: hung.received > 1)
            os.kill(hung.pid, signal.SIGSTOP)
            await another(slot, hung)
            assert hung.exit_code == -signal.SIGKILL
        assert await serving == 0
    (line,) = [line for line in logs if line["event"] == "worker_hangs"]
    assert (line["worker"], line["pid"], line["log_level"]) == (1, hung.pid, "error")


@pytest.mark.parametrize("does", ["starts never", "hangs up"])
async def test_a_worker_that_never_answers_is_ended(does: str) -> None:
    patience = IMPATIENT._replace(start_seconds=1)
    async with supervised(does, patience=patience, pauses_seconds=(100, 100)) as (_, slot, _):
        await until(lambda: slot.worker is not None)
        silent = slot.worker
        assert silent is not None
        await silent.ended.wait()
        assert silent.exit_code == -signal.SIGKILL
        assert silent.hung


async def test_a_worker_that_is_signalled_again_as_it_ends_is_known_by_what_ended_it() -> None:
    async with supervised() as (_, slot, _):
        killed = await another(slot)
        while not killed.ended.is_set():
            for _ in range(1000):  # so that it ends meanwhile, before its parent can know
                killed.kill()
            await asyncio.sleep(0)
        assert killed.exit_code == -signal.SIGKILL


async def test_a_worker_that_answers_late_is_let_be() -> None:
    patience = PATIENCE._replace(ask_seconds=0.1)
    with capture_logs() as logs:
        async with supervised("is slow", patience=patience) as (_, slot, _):
            slow = await another(slot)
            await until(lambda: slow.received > 5)
            assert slot.worker is slow
    assert events(logs) == ["worker_ready"]


async def test_a_worker_that_hangs_when_all_are_to_end_is_not_waited_for() -> None:
    async with supervised(patience=IMPATIENT) as (supervisor, slot, serving):
        hung = await another(slot)
        os.kill(hung.pid, signal.SIGSTOP)
        supervisor.stop()
        assert await serving == 1


@pytest.mark.parametrize(
    "does", ["sends no JSON", "sends no text", "sends no report", "never ends"]
)
async def test_workers_that_cannot_be_understood_are_ended_and_not_their_parent(does: str) -> None:
    patience = PATIENCE._replace(ask_seconds=0.1)
    with capture_logs() as logs:
        async with supervised(does, patience=patience) as (_, _, serving):
            assert await serving == 1  # in the end, since they all do
    assert events(logs).count("worker_not_understood") == events(logs).count("worker_died")
    assert events(logs).count("worker_died") >= LOOP_DEATHS  # more, where it takes them long to die
    assert events(logs)[-1] == "workers_die_at_once"


async def test_however_often_they_are_to_be_replaced_it_is_done_twice_at_most() -> None:
    with capture_logs() as logs:
        async with supervised() as (supervisor, slot, _):
            await another(slot)
            for _ in range(1000):
                if "workers_replaced" in events(logs):
                    break  # from now on a further call has them replaced once more
                supervisor.replace()
                await asyncio.sleep(0)
            await until(lambda: events(logs).count("workers_replaced") == 2)
            await until(lambda: events(logs).count("worker_ready") == 3)
            assert len(asyncio.all_tasks()) < 20


async def test_all_end_at_once_when_told_so_amid_a_replacement() -> None:
    with capture_logs() as logs:
        async with supervised() as (supervisor, slot, serving):
            old = await another(slot)
            supervisor._program = ("-c", PROGRAM, "starts never")  # it takes as long as it has to
            supervisor.replace()
            await until(lambda: slot.successor is not None)
            supervisor.stop()
            assert await serving == 0
            assert old.exit_code == 0
    assert "worker_not_replaced" not in events(logs)


async def test_a_worker_that_the_machine_has_no_room_for_is_started_when_it_has() -> None:
    _, hard = limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    with capture_logs() as logs:
        async with supervised(pauses_seconds=(0.1, 0.1)) as (supervisor, slot, _):
            killed = await another(slot)
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
                supervisor.replace()
                await until(lambda: "worker_not_replaced" in events(logs))
                os.kill(killed.pid, signal.SIGKILL)
                await until(lambda: events(logs).count("worker_not_started") > 1)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, limit)
            await another(slot, killed)
    reasons = {line["reason"] for line in logs if "reason" in line}
    assert reasons == {"Too many open files"}
