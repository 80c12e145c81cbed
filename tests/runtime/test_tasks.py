"""Tasks are ended, whatever they make of it."""

import asyncio

from server.runtime.tasks import end


async def goes_on() -> None:
    await asyncio.Event().wait()


async def fails_when_cancelled() -> None:
    try:
        await goes_on()
    except asyncio.CancelledError:
        raise ValueError from None


async def swallows_the_first_cancellation() -> None:
    try:
        await goes_on()
    except asyncio.CancelledError:
        await goes_on()


async def test_all_have_ended_however_they_do_it() -> None:
    tasks = [asyncio.create_task(work()) for work in (goes_on, fails_when_cancelled)]
    done = asyncio.create_task(asyncio.sleep(0))
    await asyncio.sleep(0)
    await end(None, *tasks, done)
    assert tasks[0].cancelled()
    assert isinstance(tasks[1].exception(), ValueError)
    assert done.done()


async def test_a_task_that_swallows_a_cancellation_is_cancelled_again() -> None:
    task = asyncio.create_task(swallows_the_first_cancellation())
    await asyncio.sleep(0)
    await end(task, again_seconds=0.01)
    assert task.cancelled()
