import asyncio
import time
from collections import defaultdict
from itertools import pairwise

from server.transport.ping_scheduler import CATCH_UP_SECONDS, SLOT_SECONDS, PingScheduler
from tests.support.wait import until

ROUND_SECONDS = 4 * SLOT_SECONDS
EARLY_SECONDS = 0.002
"""uvloop's timers count whole milliseconds."""


class Turns:
    """When each had theirs, as the loop counts time."""

    def __init__(self) -> None:
        self.of: dict[str, list[float]] = defaultdict(list)

    def take(self, name: str) -> None:
        self.of[name].append(time.monotonic())

    async def taken(self, name: str, count: int) -> None:
        await until(lambda: len(self.of[name]) >= count)


async def add_elsewhere(scheduler: PingScheduler[str], name: str, taken: set[str]) -> set[str]:
    """Give somebody a turn in another slot than the one that is `taken`."""
    while (slot := scheduler.add(name)) is taken:
        slot.discard(name)
        await asyncio.sleep(SLOT_SECONDS)
    return slot


async def test_everyone_has_a_turn_in_each_round_and_the_first_after_one() -> None:
    turns = Turns()
    scheduler = PingScheduler(ROUND_SECONDS, turns.take)
    start = time.monotonic()
    slot = scheduler.add("ann")
    await turns.taken("ann", 3)
    slot.discard("ann")
    assert turns.of["ann"][0] - start >= ROUND_SECONDS - EARLY_SECONDS
    assert turns.of["ann"][2] - start >= 3 * ROUND_SECONDS - EARLY_SECONDS


async def test_whoever_left_has_no_turn_and_whoever_comes_later_has() -> None:
    turns = Turns()
    scheduler = PingScheduler(ROUND_SECONDS, turns.take)
    scheduler.add("ann").discard("ann")
    await asyncio.sleep(2 * ROUND_SECONDS)
    slot = scheduler.add("bob")
    await turns.taken("bob", 1)
    slot.discard("bob")
    assert not turns.of["ann"]


async def test_turns_that_came_together_once_are_apart_again() -> None:
    turns = Turns()
    scheduler = PingScheduler(ROUND_SECONDS, turns.take)
    ann = scheduler.add("ann")
    bob = await add_elsewhere(scheduler, "bob", ann)
    for _ in range(3):
        time.sleep(ROUND_SECONDS)  # noqa: ASYNC251 - to hold up the loop is the point
        await asyncio.sleep(0)
    held_up = len(turns.of["ann"])
    await turns.taken("ann", held_up + 3)
    await turns.taken("bob", held_up + 3)
    order = sorted((at, name) for name, times in turns.of.items() for at in times)
    for (_, before), (_, after) in pairwise(order[-4:]):
        assert before != after
    ann.discard("ann")
    bob.discard("bob")


async def test_after_a_long_pause_nobody_has_two_turns_at_once() -> None:
    turns = Turns()
    scheduler = PingScheduler(2 * CATCH_UP_SECONDS, turns.take)
    slot = scheduler.add("ann")
    await turns.taken("ann", 1)
    time.sleep(4 * CATCH_UP_SECONDS)  # noqa: ASYNC251 - as above
    await turns.taken("ann", 3)
    slot.discard("ann")
    _, second, third = turns.of["ann"][:3]
    assert third - second >= CATCH_UP_SECONDS - SLOT_SECONDS


async def test_nobody_loses_their_turn_by_the_failure_of_another() -> None:
    failures: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: failures.append(str(context["exception"]))
    )
    turns = Turns()

    def act(name: str) -> None:
        turns.take(name)
        if name == "ann":
            raise ValueError(name)

    scheduler = PingScheduler(ROUND_SECONDS, act)
    ann = scheduler.add("ann")
    bob = await add_elsewhere(scheduler, "bob", ann)
    await turns.taken("bob", 2)
    assert failures[0] == "ann"
    ann.discard("ann")
    bob.discard("bob")
