import asyncio
import time

import pytest

from server.runtime.shared_timeout import GRAIN_SECONDS, SharedTimeout
from tests.support.wait import until

SECONDS = 0.05


async def test_each_item_has_its_turn_after_the_delay_and_in_the_order_of_their_starts() -> None:
    turns: list[tuple[int, float]] = []
    delay = SharedTimeout[int](SECONDS, lambda item: turns.append((item, time.monotonic())))
    started: list[float] = []
    for item in range(5):
        started.append(time.monotonic())
        delay.start(item)
        await asyncio.sleep(SECONDS / 4)
    await until(lambda: len(turns) == 5)
    assert [item for item, _ in turns] == [*range(5)]
    for (_, at), since in zip(turns, started, strict=True):
        assert at - since >= SECONDS - GRAIN_SECONDS


async def test_what_is_cancelled_has_no_turn_and_whoever_comes_after_it_has() -> None:
    turns: list[str] = []
    delay = SharedTimeout(SECONDS, turns.append)
    for name in ("first", "second", "third"):
        delay.start(name)
    for name in ("first", "second", "never started"):
        delay.cancel(name)
    await until(lambda: bool(turns))
    assert turns == ["third"]


async def test_an_item_may_start_again_in_its_turn() -> None:
    turns: list[str] = []

    def again(item: str) -> None:
        turns.append(item)
        delay.start(item)

    delay = SharedTimeout(SECONDS, again)
    delay.start("ping")
    await until(lambda: len(turns) >= 3)
    delay.cancel("ping")


async def test_nobody_loses_their_turn_by_the_failure_of_another() -> None:
    failures: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: failures.append(str(context["exception"]))
    )
    turns: list[int] = []

    def act(item: int) -> None:
        turns.append(item)
        if item % 2 == 0:
            raise ValueError(item)

    delay = SharedTimeout(SECONDS, act)
    for item in range(4):
        delay.start(item)
    await until(lambda: len(turns) == 4)
    assert failures == ["0", "2"]


@pytest.mark.parametrize("pause_seconds", [0.0, 2 * SECONDS])
async def test_it_works_again_after_it_was_empty(pause_seconds: float) -> None:
    turns: list[str] = []
    delay = SharedTimeout(SECONDS, turns.append)
    delay.start("one")
    await until(lambda: turns == ["one"])
    await asyncio.sleep(pause_seconds)
    delay.start("two")
    await until(lambda: turns == ["one", "two"])
