"""What operators order holds on every node, and no race gets past it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from protocol import operators
from protocol.errors import ErrorCode, Refused
from protocol.payments import WebhookAnswer
from server.rules.commands import Tick
from server.services.admissions import Admission, Admissions
from server.services.lobbies import Changed
from server.services.play import Won
from server.services.seats import Seated, Seats
from server.services.tiers import Tier
from server.store import keys
from tests.services.money import sums
from tests.services.ordering import BANNED, CLOSED, OTHER, ban, close, join, unban
from tests.support.game import BUY_IN, CLASSIC, TABLE, Node, StartNode, paid
from tests.support.store_content import command
from tests.support.wait import until

Order = Callable[[Node], Awaitable[bool | Refused]]


async def test_a_ban_holds_on_all_nodes_in_all_tiers_for_joins_and_invoices(
    nodes: tuple[Node, Node],
) -> None:
    one, two = nodes
    lobby_id = (await one.sit("ann")).lobby.lobby_id
    assert await ban(one, "bob") is True
    for node in nodes:
        for tier in (BUY_IN, OTHER):
            assert await join(node, "bob", tier) == BANNED
        assert await node.seats.take("bob", BUY_IN, lobby_id) == BANNED
    assert isinstance(await join(two, "cy"), Seated)
    assert await unban(two, "bob") is True
    assert isinstance(await join(one, "bob"), Seated)


async def test_a_ban_ends_by_itself_and_its_refusal_has_its_end(nodes: tuple[Node, Node]) -> None:
    one, two = nodes
    until = int(one.clock.now_ms()) + 8_000
    assert await ban(one, "bob", until) is True
    assert await join(two, "bob") == Refused(ErrorCode.BANNED, {"until": until})
    await two.wait_until_past(until)
    assert isinstance(await join(two, "bob"), Seated)


async def test_what_holds_already_is_not_written_down_again(nodes: tuple[Node, Node]) -> None:
    one, two = nodes
    assert await unban(one, "bob") is False
    both = await asyncio.gather(ban(one, "bob"), ban(two, "bob"))
    assert sorted(both, key=str) == [False, True]
    assert await ban(one, "bob") is False
    assert [e.action for e in await one.stores.operator_log.entries()] == ["ban"]


async def test_a_ban_whose_end_is_past_is_no_ban(nodes: tuple[Node, Node]) -> None:
    assert await ban(nodes[0], "bob", until=1) == Refused(ErrorCode.INVALID_MESSAGE)


async def test_who_is_banned_keeps_the_paid_seat_and_asks_for_nothing_new(
    nodes: tuple[Node, Node],
) -> None:
    one, two = nodes
    (seated,) = await one.seat("bob")
    await ban(one, "bob")
    assert await join(two, "bob") == BANNED
    lobby = (await two.store.load(seated.lobby.lobby_id)).lobby
    assert lobby is not None
    assert lobby.players["bob"].paid
    numbers = tuple(range(1, 10))
    done = await two.play.select_numbers("bob", seated.lobby.lobby_id, numbers)
    assert not isinstance(done, Refused)


@pytest.mark.parametrize("is_paid", [False, True], ids=["held", "active"])
@pytest.mark.parametrize(
    ("order", "refused"),
    [(lambda node: ban(node, "bob"), BANNED), (close, CLOSED)],
    ids=["ban", "close"],
)
async def test_a_seat_from_before_an_order_may_be_paid_and_win_and_is_owed_the_pot(
    start_node: StartNode,
    store_url: str,
    redis: Redis,
    order: Order,
    refused: Refused,
    is_paid: bool,
) -> None:
    quick = replace(CLASSIC, max_players=2, call_interval_ms=1)
    node = await start_node(store_url, tiers={BUY_IN: quick})
    lobby_id = (await node.seat("ann"))[0].lobby.lobby_id
    held = await node.sit("bob")
    if not is_paid:
        assert await order(node) is True
    await node.pay(held)
    grid = ((1, 2, 3), (4, 5, 6), (7, 8, 9))
    for name in ("ann", "bob"):
        await node.play.arrange_grid(name, lobby_id, grid)
    if is_paid:
        assert await order(node) is True

    async def row_is_called() -> bool:
        done = await node.lobbies.carry_out(lobby_id, Tick())
        assert isinstance(done, Changed)
        return {1, 2, 3} <= {*done.lobby.called}

    await until(row_is_called)
    assert isinstance(await node.play.claim("bob", lobby_id), Won)
    assert (await sums(redis))["payout_owed"] == 2 * BUY_IN
    assert await join(node, "bob") == refused


async def test_what_is_over_does_not_stay_in_the_master(
    nodes: tuple[Node, Node], redis: Redis
) -> None:
    one, _ = nodes
    (seated,) = await one.seat("ann")
    ended, standing = str(int(one.clock.now_ms()) - 1), str(int(one.clock.now_ms()) + 10**9)
    await ban(one, "eva", until=int(standing))
    fields: Any = {"ban:bob": ended, "ban:dan": "null", "recorded:old": str(int(ended) - 10**8)}
    await redis.hset(keys.MASTER_RESTRICTIONS, mapping=fields | {"recorded:before": "1"})
    await redis.hset(keys.restrictions(TABLE), "ban:bob", ended)
    assert await close(one, OTHER) is True
    kick = operators.KickPlayer(
        alien_id="ann", lobby_id=seated.lobby.lobby_id, reason="a fault of ours"
    )
    assert await one.operators.carry_out("eve", kick) is True
    left: Any = await redis.hgetall(keys.MASTER_RESTRICTIONS)
    assert {name for name in left if name.startswith("ban:")} == {"ban:eva", "ban:dan"}
    assert await redis.hget(keys.restrictions(TABLE), "ban:bob") is None
    moved = {name for name in left if name.startswith("recorded:")}
    assert "recorded:old" not in moved
    assert len(moved) == 2  # the kick's, and one of which it was not known when
    assert all(int(left[name]) >= int(ended) for name in moved)


@pytest.mark.parametrize("order", [lambda node: ban(node, "bob"), close], ids=["ban", "close"])
async def test_a_seat_that_is_held_may_be_paid_and_one_that_lapsed_is_owed_back(
    start_node: StartNode, store_url: str, redis: Redis, order: Order
) -> None:
    hasty = replace(CLASSIC, seat_ms=300)
    one = await start_node(store_url, tiers={BUY_IN: hasty})
    held = await one.sit("ann")
    await one.pay(held)  # the lobby forms
    lapsing = await one.sit("bob")
    await one.wait_until_past(lapsing.invoice.expires_at)
    await one.lobbies.carry_out(held.lobby.lobby_id, Tick())
    assert await order(one) is True
    answer = await one.deliver(paid(lapsing))
    assert answer == WebhookAnswer(processed=True, reason="refund_owed")
    assert (await sums(redis))["refund_owed"] == BUY_IN


async def test_a_closed_tier_sells_no_new_seats_and_gives_held_ones_again(
    nodes: tuple[Node, Node],
) -> None:
    one, two = nodes
    held = await one.sit("ann")
    assert await close(one) is True
    for node in nodes:
        assert await join(node, "bob") == CLOSED
        assert await node.seats.take("bob", BUY_IN, held.lobby.lobby_id) == CLOSED
        again = await join(node, "ann")
        assert isinstance(again, Seated)
        assert again.invoice == held.invoice
        assert isinstance(await join(node, f"{id(node)}", OTHER), Seated)
    await one.pay(held)
    opened = operators.OpenTier(buy_in_amount=BUY_IN, reason="mended")
    assert await two.operators.carry_out("eve", opened) is True
    assert isinstance(await join(one, "bob"), Seated)


async def test_a_tier_that_is_nobodys_cannot_be_closed(nodes: tuple[Node, Node]) -> None:
    assert await close(nodes[0], 1234) == Refused(ErrorCode.UNKNOWN_TIER)


async def test_a_join_and_a_ban_at_once_have_an_order(
    nodes: tuple[Node, Node], redis: Redis
) -> None:
    one, two = nodes
    for number in range(20):
        alien_id = f"racer-{number}"
        joined, banned = await asyncio.gather(join(one, alien_id), ban(two, alien_id))
        assert banned is True
        assert isinstance(joined, Seated) or joined == BANNED
        seats = await command(redis, "HGETALL", keys.seats(TABLE, alien_id))
        assert bool(seats) == isinstance(joined, Seated)
        assert await join(one, alien_id) == await join(two, alien_id) == BANNED


class Interrupted(Admissions):
    """Between its answer and the commit, somebody orders something."""

    def __init__(self, node: Node, order: Callable[[], Awaitable[object]]) -> None:
        super().__init__(node.stores.restrictions, node.clock)
        self._order = order

    async def of(self, table: str, alien_ids: Sequence[str]) -> Admission:
        admission = await super().of(table, alien_ids)
        await self._order()
        return admission


@pytest.mark.parametrize("forms", [False, True], ids=["the first", "one more"])
@pytest.mark.parametrize(
    ("order", "refused"),
    [(lambda node: ban(node, "bob"), BANNED), (close, CLOSED)],
    ids=["ban", "close"],
)
@pytest.mark.parametrize("by", ["join", "invoice"])
async def test_an_order_between_the_question_and_the_commit_wins(
    nodes: tuple[Node, Node], order: Order, refused: Refused, forms: bool, by: str
) -> None:
    one, two = nodes
    if by == "invoice" and not forms:
        return  # there is no lobby to ask for
    lobby_id = (await two.sit("ann")).lobby.lobby_id if forms else ""
    interrupted = Interrupted(one, lambda: order(two))
    seats = Seats(
        one.lobbies,
        one.directory,
        one.billing,
        interrupted,
        one.clock,
        one.limits,
        [Tier(BUY_IN, CLASSIC, (TABLE,), takes_test=False)],
        one.tables,
        may_join=lambda _alien_id: True,
        look_seconds=1,
    )
    if by == "join":
        assert await seats.join("bob", BUY_IN, "") == refused
    else:
        assert await seats.take("bob", BUY_IN, lobby_id) == refused
    assert await two.directory.seat(TABLE, "bob") is None


async def test_an_order_holds_though_the_store_has_lost_those_before_it(
    nodes: tuple[Node, Node], redis: Redis
) -> None:
    """As when the primary of the log's slot is lost, and those of the tables are not."""
    one, two = nodes
    await one.sit("ann")
    await one.sit("ann", OTHER)
    for lost in ("bob", "cy"):
        await ban(one, lost)
    await command(redis, "DEL", keys.OPERATOR_LOG, keys.MASTER_RESTRICTIONS)
    assert await ban(two, "dan") is True
    for tier in (BUY_IN, OTHER):
        assert await join(one, "dan", tier) == BANNED
        assert isinstance(await join(one, "bob", tier), Seated)  # as log and page have it
    await command(redis, "DEL", keys.OPERATOR_LOG, keys.MASTER_RESTRICTIONS)
    assert await unban(one, "dan") is True
    assert isinstance(await join(two, "dan"), Seated)
    assert await unban(one, "dan") is False


@pytest.mark.parametrize("is_named_before", [False, True], ids=["by_a_lobby", "named_before"])
async def test_a_table_that_is_new_to_the_store_begins_with_what_was_ordered(
    start_node: StartNode, store_url: str, is_named_before: bool
) -> None:
    one = await start_node(store_url, tiers={BUY_IN: CLASSIC})
    await one.sit("ann")
    await ban(one, "bob")
    newcomer = await start_node(store_url, tiers={OTHER: CLASSIC})
    if is_named_before:
        await newcomer.tables.refresh()
    assert await join(newcomer, "bob", OTHER) == BANNED
