import asyncio

from server.services.locks import Locks
from server.store.errors import StoreUnavailable


class Visit:
    """Somebody who holds a lock until they are let go."""

    def __init__(self, locks: Locks, name: str) -> None:
        self.inside = False
        self.leave = asyncio.Event()
        self.failure: Exception | None = None
        self.task = asyncio.create_task(self._visit(locks, name))

    async def end(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.leave.set()
        await asyncio.wait([self.task])

    async def _visit(self, locks: Locks, name: str) -> None:
        async with locks.hold(name):
            self.inside = True
            await self.leave.wait()
            self.inside = False
            if self.failure is not None:
                raise self.failure


async def visits(locks: Locks, *names: str) -> list[Visit]:
    made = [Visit(locks, name) for name in names]
    await asyncio.sleep(0)
    return made


async def test_one_holds_a_name_at_a_time_and_other_names_are_free() -> None:
    ann, bob, cy = await visits(Locks(), "red", "red", "blue")
    assert (ann.inside, bob.inside, cy.inside) == (True, False, True)
    await ann.end()
    await asyncio.sleep(0)
    assert bob.inside
    await bob.end()
    await cy.end()


async def test_who_waited_while_the_store_hung_fails_too_and_who_comes_later_does_not() -> None:
    locks = Locks(hanging_seconds=0)
    ann, bob, cy = await visits(locks, "red", "red", "red")
    await ann.end(StoreUnavailable("away"))
    for visit in (ann, bob, cy):
        await asyncio.wait([visit.task])
        assert isinstance(visit.task.exception(), StoreUnavailable)
    (later,) = await visits(locks, "red")
    assert later.inside
    await later.end()


async def test_a_store_that_failed_at_once_may_be_asked_by_the_next() -> None:
    ann, bob = await visits(Locks(hanging_seconds=600), "red", "red")
    await ann.end(StoreUnavailable("away"))
    await asyncio.sleep(0)
    assert bob.inside
    await bob.end()


async def test_another_failure_is_nobody_elses() -> None:
    ann, bob = await visits(Locks(), "red", "red")
    await ann.end(ValueError("mine"))
    assert isinstance(ann.task.exception(), ValueError)
    await asyncio.sleep(0)
    assert bob.inside
    await bob.end()


async def test_who_gives_up_waiting_leaves_the_turn_to_the_next() -> None:
    ann, bob, cy = await visits(Locks(), "red", "red", "red")
    bob.task.cancel()
    await asyncio.wait([bob.task])
    await ann.end()
    await asyncio.sleep(0)
    assert cy.inside
    await cy.end()
