"""The limiter on its own, and what goes past it."""

import asyncio
from contextlib import AsyncExitStack, suppress
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from server.store.errors import StoreUnavailable
from server.transport import concurrency as module
from server.transport.concurrency import ConcurrencyLimiter
from tests.support.wait import TIMEOUT_SECONDS, until
from tests.transport.conftest import ConnectRaw
from tests.transport.echo_server import Server

new_limiter = partial(ConcurrencyLimiter, patience_seconds=TIMEOUT_SECONDS)
"""Whoever waits there waits as long as this machine is held up."""


class Visitors:
    """Whoever goes in stays until they are let out."""

    def __init__(self, limiter: ConcurrencyLimiter) -> None:
        self._limiter = limiter
        self._doors: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.came: list[str] = []
        self.inside: set[str] = set()

    async def arrive(self, *names: str) -> None:
        for name in names:
            self._doors[name] = asyncio.Event()
            self._tasks[name] = asyncio.create_task(self._visit(name))
        await asyncio.sleep(0)

    async def let_out(self, name: str) -> None:
        self._doors[name].set()
        await self._tasks[name]
        await asyncio.sleep(0)

    async def cancel(self, name: str) -> None:
        self._tasks[name].cancel()
        with suppress(asyncio.CancelledError):
            await self._tasks[name]
        await asyncio.sleep(0)

    async def outcome(self, name: str) -> BaseException | None:
        await asyncio.wait([self._tasks[name]])
        return self._tasks[name].exception()

    async def _visit(self, name: str) -> None:
        async with self._limiter.turn(name):
            self.came.append(name)
            self.inside.add(name)
            try:
                await self._doors[name].wait()
                if name.startswith("unlucky"):
                    raise StoreUnavailable("no answer")
            finally:
                self.inside.discard(name)


async def test_no_more_than_so_many_are_inside_and_the_others_follow_in_order() -> None:
    limiter = new_limiter(2)
    visitors = Visitors(limiter)
    await visitors.arrive("ann", "bob", "cy", "dee")
    assert visitors.inside == {"ann", "bob"}
    assert limiter.waiting == 2

    await visitors.let_out("bob")
    assert visitors.inside == {"ann", "cy"}
    await visitors.let_out("ann")
    await visitors.let_out("cy")
    await visitors.let_out("dee")

    assert visitors.came == ["ann", "bob", "cy", "dee"]
    assert limiter.waiting == 0
    await visitors.arrive("eve", "flo", "gil")
    assert visitors.inside == {"eve", "flo"}


async def test_who_gives_up_waiting_does_not_keep_the_next_from_coming_in() -> None:
    visitors = Visitors(new_limiter(1))
    await visitors.arrive("ann", "bob", "cy")

    await visitors.cancel("bob")
    await visitors.let_out("ann")

    assert visitors.inside == {"cy"}


async def test_who_gives_up_in_the_instant_of_their_turn_passes_it_on() -> None:
    limiter = new_limiter(1)
    visitors = Visitors(limiter)
    async with limiter.turn("ann"):
        await visitors.arrive("bob", "cy")
    # Now it is bob's turn, who does not know yet.
    await visitors.cancel("bob")

    assert visitors.inside == {"cy"}


async def test_who_has_waited_too_long_is_turned_away() -> None:
    visitors = Visitors(new_limiter(1, patience_seconds=0.01))
    await visitors.arrive("ann", "bob")

    assert isinstance(await visitors.outcome("bob"), StoreUnavailable)

    await visitors.let_out("ann")
    await visitors.arrive("cy")
    assert visitors.inside == {"cy"}


async def test_while_the_store_hangs_nobody_waits_for_it_in_turn() -> None:
    visitors = Visitors(new_limiter(1, hanging_seconds=0.0))
    await visitors.arrive("unlucky ann", "bob", "cy")

    with suppress(StoreUnavailable):
        await visitors.let_out("unlucky ann")

    assert isinstance(await visitors.outcome("bob"), StoreUnavailable)
    assert isinstance(await visitors.outcome("cy"), StoreUnavailable)
    await visitors.arrive("dee")
    assert visitors.inside == {"dee"}


async def test_one_whom_the_store_fails_at_once_keeps_nobody_from_trying() -> None:
    visitors = Visitors(new_limiter(1, hanging_seconds=TIMEOUT_SECONDS))
    await visitors.arrive("unlucky ann", "bob")

    with suppress(StoreUnavailable):
        await visitors.let_out("unlucky ann")

    assert visitors.inside == {"bob"}


async def test_a_store_that_answers_others_meanwhile_does_not_hang() -> None:
    visitors = Visitors(new_limiter(2, hanging_seconds=0.0))
    await visitors.arrive("unlucky ann", "bob", "cy", "dee")
    await visitors.let_out("bob")

    with suppress(StoreUnavailable):
        await visitors.let_out("unlucky ann")

    assert visitors.inside == {"cy", "dee"}


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 3)), min_size=1, max_size=60),
    st.integers(1, 4),
)
def test_nobody_waits_for_more_than_one_turn_of_each_other_player(
    arrivals: list[tuple[str, int]], at_once: int
) -> None:
    """Players come, and after each arrival so many turns end; in the end all do."""
    asyncio.run(come_and_go(new_limiter(at_once), arrivals))


async def come_and_go(limiter: ConcurrencyLimiter, arrivals: list[tuple[str, int]]) -> None:
    inside: list[asyncio.Event] = []
    served: list[tuple[str, int]] = []
    came: dict[tuple[str, int], int] = {}  # how many had been served when a request came

    async def request(number: int, player: str) -> None:
        came[player, number] = len(served)
        async with limiter.turn(player):
            served.append((player, number))
            done = asyncio.Event()
            inside.append(done)
            await done.wait()

    async def end_one() -> None:
        if inside:
            inside.pop(0).set()
        for _ in range(4):  # until who leaves has left, and who comes in is in
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for number, (player, ends) in enumerate(arrivals):
            group.create_task(request(number, player))
            await asyncio.sleep(0)
            for _ in range(ends):
                await end_one()
        while inside:
            await end_one()

    assert len(served) == len(arrivals)
    for player in "abcd":
        own = [number for name, number in served if name == player]
        assert own == sorted(own)
    for place, (player, number) in enumerate(served):
        between = served[came[player, number] : place]
        # Its own earlier ones are served before it, and between two of them each other once.
        before = sum(name == player for name, _ in between)
        for other in set("abcd") - {player}:
            assert sum(name == other for name, _ in between) <= before + 1


async def test_commands_and_connects_wait_for_their_turn_but_not_what_is_urgent(
    server: Server, connect_raw: ConnectRaw
) -> None:
    alice, bob = await connect_raw(server), await connect_raw(server)
    await alice.join("/echo", "alice")
    await alice.packet()
    async with AsyncExitStack() as stack:
        for _ in range(module.PLAYERS_AT_ONCE):
            await stack.enter_async_context(server.limiter.turn("others"))

        bob.send('40/echo,{"token":"bob"}')
        await until(lambda: server.limiter.waiting == 1)
        assert (await alice.command("/echo", 1, "urgent"))["ok"]
        alice.send('42/echo,2["echo"]')
        await until(lambda: server.limiter.waiting == 2)
        assert server.echo.carried_out == ["urgent"]

    assert (await bob.packet()).startswith("40/echo")
    assert (await alice.packet()).startswith("43/echo,2")


async def test_who_waits_for_the_issuer_keeps_nobody_waiting(
    server: Server, connect_raw: ConnectRaw
) -> None:
    for _ in range(module.PLAYERS_AT_ONCE + 1):
        client = await connect_raw(server)
        client.send('40/echo,{"token":"later"}')
    alice = await connect_raw(server)

    await alice.join("/echo", "alice")
    await alice.packet()

    assert (await alice.command("/echo", 1, "echo"))["ok"]
    assert server.limiter.waiting == 0
