"""What was begun in a tier goes on when the tier is no longer offered."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from protocol.errors import ErrorCode, Refused
from server.services.audit import Audit
from server.services.cluster_stats import ClusterStats
from server.services.past import WholeLedger
from server.services.seats import Seated
from server.store import keys
from server.store.tables import Tables
from server.store.timings import PATIENT
from tests.support.game import (
    BRISK,
    CLASSIC,
    Node,
    StartNode,
    calling,
    is_over,
    starting_nodes,
)
from tests.support.store_content import command
from tests.support.wait import until

WITHDRAWN = 7000
DUEL = replace(BRISK, max_players=2)
NEXT = {3500: CLASSIC}
BEFORE = {3500: CLASSIC, WITHDRAWN: DUEL}


@pytest.fixture
async def start_node() -> AsyncIterator[StartNode]:
    """Starts nodes that look for the tables that others opened all the time."""
    async with starting_nodes(timings=replace(PATIENT, find_tables_seconds=0.05)) as start:
        yield start


async def test_a_lobby_of_a_tier_that_is_withdrawn_is_played_to_its_end(
    start_node: StartNode, store_url: str
) -> None:
    old = await start_node(store_url, tiers=BEFORE)
    seats = [await old.sit(name, WITHDRAWN) for name in ("ann", "bob")]
    new = await start_node(store_url, tiers=NEXT)
    async with calling(new):
        for seated in seats:
            await new.pay(seated)
        await until(lambda: is_over(new, seats[0].lobby.lobby_id))
    assert new.scheduler.ticking == 0


async def test_a_table_that_opens_while_a_server_runs_is_served_by_it(
    start_node: StartNode, store_url: str
) -> None:
    old = await start_node(store_url, tiers=NEXT)
    async with calling(old):
        assert old.scheduler.alive
        new = await start_node(store_url, tiers=BEFORE)
        seats = [await new.sit(name, WITHDRAWN) for name in ("ann", "bob")]
        for seated in seats:
            await new.pay(seated)
        await until(lambda: is_over(old, seats[0].lobby.lobby_id))


async def test_a_table_is_named_before_its_first_lobby_opens_and_asked_for_no_more(
    node: Node, redis: Redis
) -> None:
    assert await redis.exists(keys.TABLES) == 0
    await node.sit("ann")
    assert await redis.smembers(keys.TABLES) == {"3500"}
    await command(redis, "CONFIG", "RESETSTAT")
    await node.sit("bob")
    assert "cmdstat_sadd" not in await redis.info("commandstats")


async def test_what_a_version_opened_that_named_no_tables_is_found_by_the_settings(
    start_node: StartNode, store_url: str, redis: Redis
) -> None:
    before = await start_node(store_url, tiers=BEFORE)
    await before.sit("ann", WITHDRAWN)
    await redis.delete(keys.TABLES)
    same = await start_node(store_url, tiers=BEFORE)
    async with calling(same):
        await until(lambda: named(redis, "7000"))
    later = await start_node(store_url, tiers=NEXT)
    assert list(await later.tables.read()) == ["3500", "7000"]


async def test_a_store_that_lost_the_names_of_its_tables_is_given_them_again(
    start_node: StartNode, store_url: str, redis: Redis
) -> None:
    node = await start_node(store_url, tiers=BEFORE)
    async with calling(node):
        await until(lambda: named(redis, "7000"))
        await redis.delete(keys.TABLES)
        await until(lambda: named(redis, "7000"))


async def test_a_payment_in_a_table_of_which_nobody_knew_makes_it_known(
    start_node: StartNode, store_url: str, redis: Redis
) -> None:
    old = await start_node(store_url, tiers=BEFORE)
    seats = [await old.sit(name, WITHDRAWN) for name in ("ann", "bob")]
    await redis.delete(keys.TABLES)
    new = await start_node(store_url, tiers=NEXT)
    async with calling(new):
        for seated in seats:
            await new.pay(seated)
        await until(lambda: is_over(new, seats[0].lobby.lobby_id))


async def test_a_tier_that_is_withdrawn_takes_no_joins_and_honours_its_invoices(
    start_node: StartNode, store_url: str
) -> None:
    old = await start_node(store_url, tiers={WITHDRAWN: replace(CLASSIC, max_players=2)})
    seats = [await old.sit(name, WITHDRAWN) for name in ("ann", "bob")]
    lobby_id = seats[0].lobby.lobby_id
    new = await start_node(store_url, tiers=NEXT)
    unknown = Refused(ErrorCode.UNKNOWN_TIER)
    assert await new.seats.join("ann", WITHDRAWN, "") == unknown
    assert await new.seats.take("cy", WITHDRAWN, lobby_id) == unknown
    assert await new.seats.take("ann", WITHDRAWN, "lobby_7000_000000000000") == unknown
    assert await new.seats.take("ann", WITHDRAWN, "lobby_3500_000000000000") == unknown
    again = await new.seats.take("ann", WITHDRAWN, lobby_id)
    assert isinstance(again, Seated)
    assert again.invoice == seats[0].invoice
    for seated in seats:
        await new.pay(seated)
    closed = Refused(ErrorCode.LOBBY_CLOSED)
    assert await new.seats.take("ann", WITHDRAWN, lobby_id) == closed


async def test_a_seat_that_lapsed_in_a_tier_that_is_withdrawn_gets_no_new_invoice(
    start_node: StartNode, store_url: str
) -> None:
    old = await start_node(store_url, tiers={WITHDRAWN: replace(CLASSIC, seat_ms=30)})
    seated = await old.sit("ann", WITHDRAWN)
    new = await start_node(store_url, tiers=NEXT)
    await new.wait_until_past(seated.invoice.expires_at)
    taken = await new.seats.take("ann", WITHDRAWN, seated.lobby.lobby_id)
    assert taken == Refused(ErrorCode.UNKNOWN_TIER)


async def test_the_cluster_stats_and_the_audit_see_the_money_of_a_tier_that_is_withdrawn(
    start_node: StartNode, store_url: str, redis: Redis
) -> None:
    old = await start_node(store_url, tiers=BEFORE)
    seated = await old.sit("ann", WITHDRAWN)
    await old.pay(seated)
    await old.seats.leave("ann", seated.lobby.lobby_id)
    new = await start_node(store_url, tiers=NEXT)
    whole = WholeLedger(new.stores.ledger, new.stores.past_ledger, None)
    survey = new.cluster_stats
    async with calling(new):
        await until(lambda: knows(new.tables, "7000"))
        survey.start()
        await until(lambda: sees(survey))
        await survey.stop()
    assert survey.lobbies()["7000", "forming"] == 1
    report = await Audit(whole, new.store, new.directory).run(await new.tables.read())
    assert [(books.table, books.total.refund_owed) for books in report.tables] == [
        ("3500", 0),
        ("7000", WITHDRAWN),
    ]
    await command(redis, "XTRIM", keys.ledger("7000"), "MAXLEN", 1)
    report = await Audit(whole, new.store, new.directory).run(await new.tables.read())
    assert "table 7000" in report.problems[0]


async def sees(survey: ClusterStats) -> bool:
    return survey.owed_coins().get(("7000", "refund_owed")) == WITHDRAWN


async def knows(tables: Tables, table: str) -> bool:
    return table in tables.known


async def named(redis: Redis, table: str) -> bool:
    return bool(await command(redis, "SISMEMBER", keys.TABLES, table))
