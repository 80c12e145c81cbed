"""A player who sets themselves a limit keeps to it, whatever they do at two servers."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from protocol.errors import Refused
from protocol.payments import WebhookAnswer
from server.rules.commands import Tick
from server.services.seats import Seated
from server.store.errors import StoreUnavailable
from tests.support.game import CLASSIC, Node, StartNode, failed, paid

TIERS = (3500, 7000, 17500)
HASTY = dict.fromkeys(TIERS, replace(CLASSIC, seat_ms=200))
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["join", "pay", "leave", "fail", "both", "expire", "lapse", "late", "lower"]
        ),
        st.sampled_from(sorted(TIERS)),
        st.integers(0, 1),
    ),
    max_size=12,
)


@pytest.fixture
async def hasty_nodes(
    start_node: StartNode, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> list[Node]:
    """In which nobody keeps an unpaid seat for long. Nobody ends one either, however long a step
    takes, so that it counts until it is given up."""
    monkeypatch.setattr("server.store.limits.LAPSING_MS", 600_000)
    return [await start_node(store_url, tiers=HASTY) for _ in range(2)]


class Limited:
    """A player with a limit who does whatever can be done at two servers, and never with more than
    `most` coins: the limit, or when it was lowered what was spent and held already."""

    def __init__(self, nodes: list[Node], limit: int) -> None:
        self.most = limit
        self._nodes = nodes
        self._limit = limit
        self._held: dict[int, Seated] = {}
        self._gone: list[Seated] = []

    async def spent(self) -> tuple[int, int]:
        """What counts of the last day, and what is held beside it."""
        node = self._nodes[0]
        _, spending = await node.limits.of("ann")
        within = spending.within("coins_per_day", node.clock.now_ms())
        return int(within), int(spending.held)

    async def set_limit(self) -> None:
        await self._nodes[0].limits.change("ann", {"coins_per_day": self._limit})

    async def do(self, step: str, tier: int, node: Node) -> None:
        """One step, as far as there is anything to do it with."""
        if step in ("join", "both"):
            await self._join(tier, self._nodes if step == "both" else [node])
        elif step == "lower":
            self._limit //= 2
            self.most = max(self._limit, sum(await self.spent()))
            await self.set_limit()
        elif step == "late" and self._gone:
            await self._pay_late(self._gone[-1], node)
        elif tier in self._held and step == "pay":
            await node.deliver(paid(self._held[tier]))
        elif tier in self._held and step in ("leave", "fail", "expire", "lapse"):
            await self._give_up(step, self._held.pop(tier), node)

    async def _join(self, tier: int, at: list[Node]) -> None:
        joins = (node.seats.join("ann", tier, "") for node in at)
        for found in await asyncio.gather(*joins, return_exceptions=True):
            if isinstance(found, Seated):
                self._held[tier] = found
            else:  # where the machine is slow, one may have waited too long for the other
                assert isinstance(found, Refused | StoreUnavailable), found

    async def _pay_late(self, seated: Seated, node: Node) -> None:
        """What comes for a seat that they may not have again is owed back. It counts all the same,
        as it has come."""
        answer = await node.deliver(paid(seated))
        assert isinstance(answer, WebhookAnswer)
        if answer.reason == "refund_owed":
            self.most += seated.lobby.buy_in_amount
        for tier, held in self._held.items():
            if held.lobby.lobby_id == seated.lobby.lobby_id:
                self._held[tier] = seated  # nobody pays twice for one seat

    async def _give_up(self, step: str, seated: Seated, node: Node) -> None:
        self._gone.append(seated)
        if step == "leave":
            await node.seats.leave("ann", seated.lobby.lobby_id)
        elif step == "fail":
            await node.deliver(failed(seated))
        else:
            await node.wait_until_past(seated.invoice.expires_at)
            if step == "lapse":
                await node.lobbies.carry_out(seated.lobby.lobby_id, Tick())


@settings(
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS, limit=st.integers(0, 40_000))
@example(
    steps=[
        ("join", 7000, 0),
        ("expire", 7000, 0),
        ("join", 3500, 1),
        ("late", 3500, 0),
        ("pay", 3500, 1),
    ],
    limit=7000,
)
@example(
    steps=[("join", 7000, 0), ("lower", 3500, 0), ("pay", 7000, 1), ("join", 3500, 1)], limit=7000
)
async def test_whatever_is_joined_paid_and_given_up_on_two_servers_payments_stay_within_the_limit(
    hasty_nodes: list[Node], steps: list[tuple[str, int, int]], limit: int
) -> None:
    async with Redis.from_url(hasty_nodes[0].url) as redis:
        await redis.flushdb()
    for node in hasty_nodes:
        await node.tables.refresh()
    ann = Limited(hasty_nodes, limit)
    await ann.set_limit()
    for step, tier, number in steps:
        await ann.do(step, tier, hasty_nodes[number])
        assert (await ann.spent())[0] <= ann.most
