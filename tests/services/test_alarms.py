import asyncio

import pytest

from server.services.alarms import Alarms

LONG_SECONDS = 60.0


async def asleep(alarms: Alarms, until_ms: float) -> "asyncio.Task[None]":
    task = asyncio.create_task(alarms.sleep("table", LONG_SECONDS, until_ms))
    await asyncio.sleep(0)
    return task


async def test_something_earlier_wakes_the_sleeper() -> None:
    alarms = Alarms(["table"])
    sleeping = await asleep(alarms, 1_000)
    alarms.due("table", 999)
    async with asyncio.timeout(LONG_SECONDS / 2):
        await sleeping


@pytest.mark.parametrize(
    ("table", "due_ms"), [("table", 1_000), ("table", 1_001), ("table", None), ("other", 1)]
)
async def test_nothing_else_wakes_the_sleeper(table: str, due_ms: float | None) -> None:
    alarms = Alarms(["table", "other"])
    sleeping = await asleep(alarms, 1_000)
    alarms.due(table, due_ms)
    await asyncio.sleep(0.05)
    assert not sleeping.done()
    alarms.wake()
    async with asyncio.timeout(LONG_SECONDS / 2):
        await sleeping


async def test_what_woke_the_last_sleep_does_not_wake_the_next() -> None:
    alarms = Alarms(["table"])
    for _ in range(2):
        sleeping = await asleep(alarms, 1_000)
        await asyncio.sleep(0.05)
        assert not sleeping.done()
        alarms.due("table", 1)
        async with asyncio.timeout(LONG_SECONDS / 2):
            await sleeping


async def test_who_is_woken_while_awake_does_not_fall_asleep() -> None:
    alarms = Alarms(["table"])
    alarms.wake()
    async with asyncio.timeout(LONG_SECONDS / 2):
        await alarms.sleep("table", LONG_SECONDS, 1_000)


async def test_a_table_that_this_server_does_not_offer_is_none_of_its_business() -> None:
    alarms = Alarms(["table"])
    sleeping = asyncio.create_task(alarms.sleep("table", LONG_SECONDS, 1_000))
    await asyncio.sleep(0)
    alarms.due("another", 1)
    await asyncio.sleep(0)
    assert not sleeping.done()
    sleeping.cancel()
