"""What operators order while a part of the store is away."""

import pytest

from server.services.seats import Seated
from server.services.tiers import Tier
from server.store import keys
from server.store.errors import StoreUnavailable
from tests.services.ordering import BANNED, ban, join
from tests.support.cluster import StoreCluster
from tests.support.cluster_games import away
from tests.support.game import BUY_IN, CLASSIC, starting_nodes


async def test_an_order_reaches_a_table_that_was_away_though_the_store_has_lost_earlier_ones(
    cluster: StoreCluster,
) -> None:
    """As when the primary of the log's slot goes back while that of a table is away."""
    async with starting_nodes() as start_node:
        node = await start_node(cluster.url, tiers={BUY_IN: CLASSIC}, TABLES_PER_TIER="8")
        await node.tables.refresh()
        tier = Tier(BUY_IN, CLASSIC, node.tables.known, takes_test=False)
        log_at = cluster.primary_of(keys.OPERATOR_LOG)
        needed = (log_at, cluster.primary_of(keys.TABLES))
        at = {t: cluster.primary_of(keys.restrictions(t)) for t in node.tables.known}
        gone = next(member for member in at.values() if member not in needed)
        players = map("player-{}".format, range(60))
        able = [player for player in players if at[tier.table_of(player)] is gone]
        for lost in ("ann", "bob", "cy"):
            await ban(node, lost)
        log_at.ask("DEL", keys.OPERATOR_LOG, keys.MASTER_RESTRICTIONS)
        with away(cluster, gone), pytest.raises(StoreUnavailable):
            await ban(node, able[0])
        cluster.heal()
        await node.operator_watch.catch_up()
        assert await join(node, able[0]) == BANNED
        assert isinstance(await join(node, able[1]), Seated)
