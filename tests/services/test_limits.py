"""Players keep to the limits that they have set, whatever is joined where and when."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from protocol.errors import ErrorCode, Refused
from protocol.payments import WebhookAnswer
from server.books.engine import Books
from server.rules.limits import DAY_MS, LONGEST_MS
from server.services.limits import SpendingLimits
from server.services.past_in_books import PastInBooks
from server.services.seats import Seated
from server.store import keys
from server.store.errors import StoreUnavailable
from server.store.limits import LAPSING_MS
from tests.services.archives import DUEL, Archives, move_all, play
from tests.support.game import BRISK, BUY_IN, CLASSIC, TABLE, Node, StartNode, failed, paid
from tests.support.wait import until

TIERS = {3500: CLASSIC, 7000: CLASSIC, 17500: CLASSIC}


async def refused(node: Node, alien_id: str, buy_in_amount: int = BUY_IN) -> dict[str, Any]:
    """The details of the refusal of a seat."""
    found = await node.seats.join(alien_id, buy_in_amount, "")
    assert isinstance(found, Refused), found
    assert found.code == ErrorCode.LIMIT_REACHED
    assert found.details is not None
    return dict(found.details)


@pytest.fixture
async def nodes(start_node: StartNode, store_url: str) -> list[Node]:
    return [await start_node(store_url, tiers=TIERS) for _ in range(2)]


async def test_seats_of_all_tiers_count_together_paid_or_not_on_every_server(
    nodes: list[Node],
) -> None:
    await nodes[0].limits.change("ann", {"coins_per_day": 10_500})
    await nodes[0].pay(await nodes[0].sit("ann", 3500))
    held = await nodes[1].sit("ann", 7000)
    for node in nodes:
        found = await refused(node, "ann", 17500)
        free_at = found.pop("free_at")
        assert found == {"period": "day", "limit": 10_500, "spent": 10_500}
        assert 0 < free_at - node.clock.now_ms() <= DAY_MS
    assert await nodes[0].sit("ann", 7000) == held  # whoever sits keeps that seat
    await nodes[1].pay(held)  # what is paid for it is taken all the same
    _, spending = await nodes[0].limits.of("ann")
    assert (sum(coins for _, coins in spending.payments), spending.held) == (10_500, 0)


@pytest.mark.parametrize("end", ["left", "failed", "lapsed"])
async def test_a_seat_that_is_given_up_counts_no_longer(
    start_node: StartNode, store_url: str, end: str
) -> None:
    brief = dict.fromkeys(TIERS, BRISK)
    node = await start_node(store_url, tiers=brief)
    await node.limits.change("ann", {"coins_per_day": 3500})
    seated = await node.sit("ann", 3500)
    if end == "left":
        await node.seats.leave("ann", seated.lobby.lobby_id)
    elif end == "failed":
        await node.deliver(failed(seated))
    else:
        async with Redis.from_url(store_url) as redis:
            key = keys.player(seated.lobby.lobby_id, "ann")
            over = int(node.clock.now_ms()) - LAPSING_MS - 1  # and nobody was there to end it
            await redis.hset(key, "expires_at", str(over))
    _, spending = await node.limits.of("ann")
    assert spending.held == 0


async def test_an_invoice_for_a_lobby_is_refused_as_a_join_is_but_not_for_a_seat_that_is_held(
    nodes: list[Node],
) -> None:
    other = await nodes[0].sit("bob", 7000)
    await nodes[0].limits.change("ann", {"coins_per_week": 3500})
    seated = await nodes[0].sit("ann", 3500)
    again = await nodes[1].seats.take("ann", 3500, seated.lobby.lobby_id)
    assert isinstance(again, Seated)
    found = await nodes[1].seats.take("ann", 7000, other.lobby.lobby_id)
    assert isinstance(found, Refused)
    assert found.code == ErrorCode.LIMIT_REACHED


async def test_joins_at_once_on_two_servers_never_pass_a_limit(nodes: list[Node]) -> None:
    await nodes[0].limits.change("ann", {"coins_per_day": 17_500})
    joins = [node.seats.join("ann", tier, "") for node in nodes for tier in TIERS]
    # Where the machine is slow, one may have waited too long for the others.
    for found in await asyncio.gather(*joins, return_exceptions=True):
        assert isinstance(found, Seated | Refused | StoreUnavailable)
    _, spending = await nodes[0].limits.of("ann")
    assert 0 < spending.held <= 17_500


@pytest.mark.parametrize("way", ["join", "take"])
async def test_a_seat_that_is_given_up_while_it_is_asked_for_is_not_replaced_past_a_limit(
    nodes: list[Node], way: str
) -> None:
    for number in range(20):  # the moment between the two is hit by some of them
        name = f"ann{number}"
        await nodes[0].limits.change(name, {"coins_per_day": 3500})
        seated = await nodes[0].sit(name)
        await nodes[0].pay(seated)
        lobby_id = seated.lobby.lobby_id

        async def leave(after_seconds: float, name: str = name, lobby_id: str = lobby_id) -> None:
            await asyncio.sleep(after_seconds)
            await nodes[0].seats.leave(name, lobby_id)

        seats = nodes[1].seats
        again = seats.join(name, 3500, "") if way == "join" else seats.take(name, 3500, lobby_id)
        await asyncio.gather(again, leave(number / 4_000))
        _, spending = await nodes[0].limits.of(name)
        assert spending.within("coins_per_day", nodes[0].clock.now_ms()) == 3500


async def test_a_limit_counts_what_was_paid_before_it_was_set(node: Node) -> None:
    await node.pay(await node.sit("ann"))
    await node.limits.change("ann", {"coins_per_month": 5000})
    assert (await refused_elsewhere(node, "ann"))["spent"] == 3500


async def refused_elsewhere(node: Node, alien_id: str) -> dict[str, Any]:
    """The details of the refusal of a seat in another lobby of the tier."""
    found = await node.seats.take(alien_id, BUY_IN, (await open_lobby(node)).lobby.lobby_id)
    assert isinstance(found, Refused), found
    assert found.details is not None
    return dict(found.details)


async def open_lobby(node: Node) -> Seated:
    """A seat in a lobby that is not full, by somebody else."""
    for number in range(CLASSIC.max_players):
        seated = await node.sit(f"other{number}")
        if "ann" not in seated.lobby.players:
            return seated
    raise AssertionError("every lobby has ann in it")


async def test_a_payment_that_an_earlier_version_took_counts_by_its_entry_in_the_ledger(
    node: Node, redis: Redis
) -> None:
    await node.pay(await node.sit("ann"))
    await redis.delete(keys.spent(TABLE, "ann"))
    _, spending = await node.limits.change("ann", {"coins_per_day": 5000})
    assert spending.within("coins_per_day", node.clock.now_ms()) == 3500


async def test_what_is_excluded_stays_so_and_a_seat_that_is_held_may_be_paid(node: Node) -> None:
    seated = await node.sit("ann")
    await node.limits.exclude("ann", 30)
    limits, _ = await node.limits.exclude("ann", 1)
    assert limits.excluded_until is not None
    assert limits.excluded_until > node.clock.now_ms() + 29 * DAY_MS
    await node.pay(seated)
    await node.seats.leave("ann", seated.lobby.lobby_id)
    assert await refused(node, "ann") == {"excluded_until": limits.excluded_until}


async def test_a_payment_of_a_seat_that_is_held_no_more_takes_none_past_a_limit(
    start_node: StartNode, store_url: str
) -> None:
    node = await start_node(store_url, tiers=TIERS)
    await node.limits.change("ann", {"coins_per_day": 7000})
    ended = await node.sit("ann", 3500)
    await node.deliver(failed(ended))
    await node.pay(await node.sit("ann", 7000))
    assert await node.deliver(paid(ended)) == WebhookAnswer(processed=True, reason="refund_owed")


async def test_a_payment_of_a_seat_that_is_held_no_more_seats_nobody_who_is_excluded(
    node: Node,
) -> None:
    ended, held = await node.sit("ann"), await node.sit("bob")
    await node.deliver(failed(ended))
    for name in ("ann", "bob"):
        await node.limits.exclude(name, 1)
    assert await node.deliver(paid(ended)) == WebhookAnswer(processed=True, reason="refund_owed")
    await node.pay(held)


async def test_a_process_that_died_while_it_seated_a_player_keeps_them_waiting_for_seconds_only(
    node: Node, redis: Redis
) -> None:
    await node.limits.change("ann", {"coins_per_day": 5000})
    await redis.set(keys.seating("ann"), "dead", nx=True, px=1500)

    async def is_seated() -> bool:
        try:
            await node.sit("ann")
        except StoreUnavailable:  # it was held up for longer than a player waits
            return False
        return True

    await until(is_seated)


async def test_players_without_limits_wait_for_nobody(node: Node, redis: Redis) -> None:
    await redis.set(keys.seating("bob"), "somebody", nx=True, px=60_000)
    await node.sit("bob")


async def test_what_counts_in_the_store_is_no_older_than_the_longest_period(
    node: Node, redis: Redis
) -> None:
    old = node.clock.now_ms() - LONGEST_MS - 1
    await redis.zadd(keys.spent(TABLE, "ann"), {'[1,"3500","i","t"]': old})
    await node.pay(await node.sit("ann"))
    assert await redis.zcard(keys.spent(TABLE, "ann")) == 1
    assert await redis.pttl(keys.spent(TABLE, "ann")) > 0


async def test_what_has_moved_into_the_books_counts_and_leaves_the_store_of_all_others(
    start_node: StartNode, store_url: str, books: Books, archive_of: Archives, redis: Redis
) -> None:
    node = await start_node(store_url, tiers={BUY_IN: DUEL}, DATABASE_URL="postgresql://books/x")
    past_ledger = node.stores.past_ledger
    limits = SpendingLimits(
        node.stores.limits,
        past_ledger,
        PastInBooks(books, past_ledger),
        node.tables,
        node.clock,
        cooling_seconds=0,
    )
    await limits.change("ann", {"coins_per_day": 10_000})
    await play(node, ("ann", "bob"), ("cat", "dan"))
    await move_all(archive_of())
    assert await redis.zcard(keys.spent(TABLE, "ann")) == 1
    assert not await redis.exists(keys.spent(TABLE, "bob"))
    for player in ("ann", "bob"):
        await limits.change(player, {"coins_per_day": 10_000})
        _, spending = await limits.of(player)
        assert [coins for _, coins in spending.payments] == [3500]


async def test_what_an_archive_lets_go_of_while_limits_are_set_for_the_first_time_counts(
    start_node: StartNode, store_url: str, books: Books, archive_of: Archives, redis: Redis
) -> None:
    node = await start_node(store_url, tiers={BUY_IN: DUEL}, DATABASE_URL="postgresql://books/x")
    past_ledger = node.stores.past_ledger
    past = PastInBooks(books, past_ledger)
    limits = SpendingLimits(
        node.stores.limits, past_ledger, past, node.tables, node.clock, cooling_seconds=0
    )
    await play(node, ("ann", "bob"))
    await move_all(archive_of())
    await limits.change("ann", {"coins_per_day": 10_000})

    assert (await node.stores.limits.load("ann")).since_ms > 0
    just_now: Any = {"complete": "", "since_ms": repr(node.clock.now_ms() + 60_000)}
    await redis.hset(keys.limits("ann"), mapping=just_now)
    for since_ms in (None, "1"):
        await redis.delete(keys.spent(TABLE, "ann"))  # as an archive does that looked before that
        if since_ms is not None:
            await redis.hset(keys.limits("ann"), "since_ms", since_ms)
        _, spending = await limits.of("ann")
        assert [coins for _, coins in spending.payments] == [3500]
        assert (await node.stores.limits.load("ann")).complete is (since_ms is not None)
