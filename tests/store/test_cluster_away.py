"""A cluster of which a shard is away, or hangs: its own tables stop, and all others go on."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from protocol.errors import Refused
from protocol.ids import lobby_table
from protocol.payments import WebhookAnswer
from server.services.lobbies import Changed
from server.services.seats import Seated
from server.services.tiers import Tier
from server.store import keys
from server.store.errors import StoreUnavailable
from server.store.timings import PATIENT
from tests.support.cluster import StoreCluster
from tests.support.cluster_games import away
from tests.support.game import BUY_IN, CLASSIC, Node, StartNode, paid
from tests.support.replication import pause, resume
from tests.support.wait import until

TAKEN = (None, "already_processed")


async def test_a_shard_that_is_away_with_its_replica_stops_its_own_tables_only(
    start_node: StartNode, cluster: StoreCluster
) -> None:
    node = await start_node(cluster.url, tiers={BUY_IN: CLASSIC}, TABLES_PER_TIER="8")
    seats = await asyncio.gather(*(node.sit(f"player-{number}") for number in range(40)))
    gone = cluster.primary_of(keys.TABLES)  # which has more than tables
    at = {table: cluster.primary_of(keys.timers(table)) for table in node.tables.known}
    with away(cluster, gone):
        at_gone = [s for s in seats if at[lobby_table(s.lobby.lobby_id)] is gone]
        others = [s for s in seats if s not in at_gone]
        assert at_gone
        assert others
        for seated in others:
            await node.pay(seated)
        for seated in at_gone[:2]:
            with pytest.raises(StoreUnavailable):
                await node.play.claim(seated.invoice.invoice_id, seated.lobby.lobby_id)
            with pytest.raises(StoreUnavailable):
                await node.seats.join(player_of(seated), BUY_IN, "")
        # Those who sit keep their seats, and newcomers get one, as far as their table is there.
        again = await node.sit(player_of(others[0]))
        assert again.lobby.lobby_id == others[0].lobby.lobby_id
        await until(lambda: is_healthy(node))
        assert node.subscription.alive
        # One who comes back to a server that was started meanwhile as well.
        late = await start_node(cluster.url, tiers={BUY_IN: CLASSIC}, TABLES_PER_TIER="8")
        assert (await late.sit(player_of(others[0]))).invoice.status == "paid"
        left = await late.seats.leave(player_of(others[1]), others[1].lobby.lobby_id)
        assert isinstance(left, Changed)
    cluster.heal()  # here: a store ends with the thread that started it
    for seated in at_gone:
        await node.pay(seated)


async def test_while_the_shard_of_all_who_have_limits_is_away_others_take_new_seats(
    start_node: StartNode, cluster: StoreCluster
) -> None:
    node = await start_node(cluster.url, tiers={BUY_IN: CLASSIC}, TABLES_PER_TIER="8")
    await node.tables.refresh()  # as a server does when it starts
    tier = Tier(BUY_IN, CLASSIC, node.tables.known, takes_test=False)
    gone = cluster.primary_of(keys.LIMITED)

    def has_what_is_needed(name: str) -> bool:
        needed = keys.limits(name), keys.timers(tier.table_of(name))
        return all(cluster.primary_of(key) is not gone for key in needed)

    able = [name for name in map("newcomer-{}".format, range(60)) if has_what_is_needed(name)]
    limited, excluded, *others = able[:12]
    await node.limits.change(limited, {"coins_per_day": 100 * BUY_IN})
    await node.limits.exclude(excluded, 1)
    with away(cluster, gone):
        for name in others:
            assert name in (await node.sit(name)).lobby.players
        # What they paid at a table that is away is not known, so it is not known what is left.
        for name in (limited, excluded):
            with pytest.raises(StoreUnavailable):
                await node.seats.join(name, BUY_IN, "")
    cluster.heal()
    assert limited in (await node.sit(limited)).lobby.players
    assert isinstance(await node.seats.join(excluded, BUY_IN, ""), Refused)


async def test_a_shard_that_hangs_holds_up_nobody_else_and_comes_back_by_itself(
    start_node: StartNode, cluster: StoreCluster
) -> None:
    timings = replace(PATIENT, command_seconds=5)
    node = await start_node(
        cluster.url, tiers={BUY_IN: CLASSIC}, timings=timings, TABLES_PER_TIER="8"
    )
    seats = await asyncio.gather(*(node.sit(f"player-{number}") for number in range(40)))
    hung = cluster.primary_of(keys.timers("3500-1"))
    at_hung = [s for s in seats if cluster.primary_of(keys.lobby(s.lobby.lobby_id)) is hung]
    others = [seated for seated in seats if seated not in at_hung]
    assert at_hung
    assert others
    both = (cluster.replica_of(hung), hung)
    for member in both:
        pause(member)
    try:
        waiting = [
            asyncio.create_task(node.play.claim(player_of(s), s.lobby.lobby_id))
            for s in at_hung[:5]
        ]
        await asyncio.gather(*map(node.pay, others))  # while those wait
        for answer in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(answer, StoreUnavailable), answer
        await until(lambda: is_healthy(node))
    finally:
        for member in both:
            resume(member)
    await asyncio.to_thread(cluster.wait_until_healthy)
    await until(lambda: all_are_paid(node, at_hung))


async def is_healthy(node: Node) -> bool:
    try:
        return await node.stores.health.ping() > 0
    except StoreUnavailable:  # it was held up for longer than somebody waits who looks
        return False


async def all_are_paid(node: Node, seats: Sequence[Seated]) -> bool:
    """Deliver for all of these seats, again those that were taken before."""
    deliveries = (node.deliver(paid(seated)) for seated in seats)
    answers = await asyncio.gather(*deliveries, return_exceptions=True)
    return all(isinstance(a, WebhookAnswer) and a.reason in TAKEN for a in answers)


def player_of(seated: Seated) -> str:
    """Who got the seat."""
    invoices = seated.lobby.invoices.items()
    return next(name for name, invoice in invoices if invoice == seated.invoice.invoice_id)
