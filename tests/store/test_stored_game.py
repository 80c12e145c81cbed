import asyncio
from collections.abc import Callable

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import invariant, run_state_machine_as_test
from redis.asyncio import Redis

from server.rules.events import Event
from tests.rules.endings import cancelled, run_out, voided, won
from tests.rules.games import Game, active
from tests.rules.lobby_machine import LobbyMachine
from tests.store.record_keeper import RecordKeeper
from tests.support.game import Node


class StoredGame(LobbyMachine):
    """Any game, each step of which is committed."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.node = Node(url)
        self.redis = Redis.from_url(url, decode_responses=True)
        self.keeper = RecordKeeper(self.node, self.redis)
        self.committed = 0
        self.runner.run(self.start())

    async def start(self) -> None:
        await self.node.start()
        await self.redis.flushall()

    def teardown(self) -> None:
        self.runner.run(self.stop())
        self.runner.close()
        super().teardown()

    async def stop(self) -> None:
        await self.node.close()
        await self.redis.aclose()

    @invariant()
    def the_store_holds_the_game(self) -> None:
        self.catch_up()
        happened = self.game.events[self.committed :]
        self.committed = len(self.game.events)
        if happened:
            self.runner.run(self.keep(happened))

    async def keep(self, happened: list[Event]) -> None:
        await self.keeper.commit(happened)
        await self.keeper.check()


def test_after_any_step_the_store_holds_the_game(store_url: str) -> None:
    run_state_machine_as_test(
        lambda: StoredGame(store_url),  # type: ignore[arg-type]  # any factory will do
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            deadline=None,
            database=None,
            phases=[Phase.generate],  # a real store is too slow to shrink against
        ),
    )


@pytest.mark.parametrize("play", [won, cancelled, voided, lambda: run_out(active("ann", "bob"))])
async def test_after_each_event_of_a_whole_game_the_store_holds_it(
    play: Callable[[], Game], node: Node, redis: Redis
) -> None:
    keeper = RecordKeeper(node, redis)
    for event in play().events:
        await keeper.commit([event])
        await keeper.check()


async def test_a_whole_game_in_one_step_leaves_what_its_steps_leave(
    node: Node, redis: Redis
) -> None:
    keeper = RecordKeeper(node, redis)
    await keeper.commit(won().events)
    await keeper.check()
