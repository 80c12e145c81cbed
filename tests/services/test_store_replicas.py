"""With STORE_REPLICAS nothing is published or acknowledged that a replica does not have."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from redis.asyncio import Redis

from protocol.errors import ErrorCode, Refused
from protocol.payments import WebhookAnswer
from server.assembly.stores import WeakDurability
from server.dev.store import EmbeddedStore
from server.rules.commands import Tick
from server.rules.events import GameFinished
from server.services.lobbies import Changed
from server.services.play import Won
from server.services.proofs import Proofs
from server.services.seats import Seated
from server.store.commits import Commits, log_check
from server.store.errors import StoreUnavailable
from server.store.invoices import invoice_check
from server.store.log import LOG_START
from tests.services.listener import Listener
from tests.support.game import BRISK, BUY_IN, Node, StartNode, calling, paid, starting_nodes
from tests.support.proxy import Proxy
from tests.support.replication import address, ask, is_in_sync, pause, replica_of, resume
from tests.support.store_content import ledger
from tests.support.wait import until

GRID = ((1, 2, 3), (4, 5, 6), (7, 8, 9))
OTHER_GRID = ((10, 11, 12), (13, 14, 15), (16, 17, 18))
# Two players, who fill it; no number is called unless somebody does it.
DUEL = replace(BRISK, max_players=2, arranging_ms=600_000, call_interval_ms=600_000)
SWIFT = replace(DUEL, call_interval_ms=5)
TIERS = {BUY_IN: DUEL, 7000: SWIFT}
WAITING = {"STORE_REPLICAS": "1", "STORE_REPLICAS_SECONDS": "30"}


@pytest.fixture
def replica(own_store: EmbeddedStore, tmp_path: Path) -> Iterator[EmbeddedStore]:
    """A replica of `own_store`."""
    with replica_of(own_store, tmp_path / "replica") as store:
        yield store


@pytest.fixture
async def start_node(own_store: EmbeddedStore, replica: EmbeddedStore) -> AsyncIterator[StartNode]:
    """Starts nodes that wait for the replica."""
    await until(lambda: is_in_sync(replica))
    async with starting_nodes(tiers=TIERS, **WAITING) as start:
        yield start


@pytest.fixture
async def node(start_node: StartNode, own_store: EmbeddedStore) -> Node:
    """A node that waits for the replica for as long as it takes."""
    return await start_node(own_store.url)


@pytest.fixture
async def hasty(start_node: StartNode, own_store: EmbeddedStore) -> Node:
    """A node that gives the replica no time to speak of."""
    return await start_node(own_store.url, STORE_REPLICAS_SECONDS="0.1")


async def begun(node: Node, buy_in_amount: int = BUY_IN) -> str:
    """A game in which ann has 1 to 9 and bob has 10 to 18."""
    seats = [await node.sit(name, buy_in_amount) for name in ("ann", "bob")]
    for seated in seats:
        await node.pay(seated)
    lobby_id = seats[0].lobby.lobby_id
    await node.play.arrange_grid("ann", lobby_id, GRID)
    await node.play.arrange_grid("bob", lobby_id, OTHER_GRID)
    return lobby_id


async def ready_to_claim(node: Node) -> str:
    """A game in which ann has a line, and nobody calls any more."""
    lobby_id = await begun(node, 7000)

    async def has_pattern() -> bool:
        done = await node.lobbies.carry_out(lobby_id, Tick())
        assert isinstance(done, Changed)
        return any({*row} <= {*done.lobby.called} for row in GRID)

    await until(has_pattern)
    return lobby_id


async def listen(node: Node, lobby_id: str) -> Listener:
    listener = Listener()
    node.replicas.listener = listener
    assert await node.replicas.acquire(lobby_id)
    return listener


async def no_timers(node: Node) -> bool:
    return bool(await node.connection.call("ZCARD", "timers:{7000}") == 0)


def ends(listener: Listener) -> int:
    return [type(record.event) for record in listener.records].count(GameFinished)


async def test_a_payment_that_no_replica_has_is_not_acknowledged_and_its_repeat_counts_once(
    node: Node, hasty: Node, replica: EmbeddedStore
) -> None:
    seated = await node.sit("ann")
    pause(replica)
    for _ in range(2):  # the repeat finds it written, and still not confirmed
        with pytest.raises(StoreUnavailable):
            await hasty.deliver(paid(seated))
    resume(replica)
    again = await node.deliver(paid(seated))
    assert again == WebhookAnswer(processed=False, reason="already_processed")
    async with Redis.from_url(replica.url, decode_responses=True) as redis:
        kinds = [entry["kind"] for entry in await ledger(redis, str(BUY_IN))]
    assert kinds == ["received", "pot"]
    assert hasty.metrics.samples()["fair_bingo_store_waits_unmet_total"] >= 2


async def test_what_was_read_of_a_primary_that_is_gone_is_not_confirmed_by_the_next_one(
    node: Node, tmp_path: Path
) -> None:
    with EmbeddedStore(tmp_path / "gone") as gone:
        async with starting_nodes(tiers=TIERS) as start:
            before = await start(gone.url)
            seated = await before.sit("ann")
            await before.pay(seated)
            invoice = await before.invoices.load(seated.invoice.invoice_id)
            found = await before.store.load(seated.lobby.lobby_id)
            assert invoice is not None
            commits = Commits(before.connection, before.metrics, node.stores.confirming)
            for check in (invoice_check(invoice), log_check(seated.lobby.lobby_id, found)):
                with pytest.raises(StoreUnavailable):
                    await commits.confirm(str(BUY_IN), [check])


async def test_an_answer_that_needs_no_change_waits_for_what_others_changed(
    node: Node, hasty: Node, replica: EmbeddedStore
) -> None:
    lobby_id = await begun(node)
    seated = await node.sit("carl", 7000)
    pause(replica)
    with pytest.raises(StoreUnavailable):
        await hasty.play.claim("bob", lobby_id)  # a false one: he is out
    with pytest.raises(StoreUnavailable):
        await hasty.seats.join("carl", 7000, "")
    with pytest.raises(StoreUnavailable):
        await hasty.seats.take("carl", 7000, seated.lobby.lobby_id)
    resume(replica)
    assert await node.play.claim("bob", lobby_id) == Refused(ErrorCode.REMOVED_FROM_GAME)


async def test_no_winner_is_published_whom_no_replica_knows(
    node: Node, hasty: Node, start_node: StartNode, own_store: EmbeddedStore, replica: EmbeddedStore
) -> None:
    other, late = [await start_node(own_store.url) for _ in range(2)]
    lobby_id = await ready_to_claim(node)
    listeners = [await listen(each, lobby_id) for each in (node, other)]
    pause(replica)
    with pytest.raises(StoreUnavailable):
        await hasty.play.claim("ann", lobby_id)
    # It is in the primary, and whoever asks there now might not find it there for long.
    for asking in (
        hasty.replicas.acquire(lobby_id),
        hasty.lobbies.snapshot(lobby_id),
        hasty.store.records_from(lobby_id, LOG_START, 1_000),
        hasty.store.texts_with_log(lobby_id),
        hasty.play.claim("bob", lobby_id),
        hasty.play.claim("ann", lobby_id),
        Proofs(hasty.lobbies, hasty.stores.proofs).of(lobby_id),
    ):
        with pytest.raises(StoreUnavailable):
            await asking
    assert [ends(listener) for listener in listeners] == [0, 0]
    resume(replica)
    assert isinstance(await other.play.claim("ann", lobby_id), Won)
    async with calling(other):
        await until(lambda: [ends(listener) for listener in listeners] == [1, 1])
    assert isinstance(await Proofs(late.lobbies, late.stores.proofs).of(lobby_id), str)
    assert await late.replicas.acquire(lobby_id)


async def test_an_end_is_published_at_once_where_the_replicas_have_it(
    node: Node, start_node: StartNode, own_store: EmbeddedStore
) -> None:
    other = await start_node(own_store.url)
    lobby_id = await ready_to_claim(node)
    listeners = [await listen(each, lobby_id) for each in (node, other)]
    assert isinstance(await node.play.claim("ann", lobby_id), Won)
    await until(lambda: [ends(listener) for listener in listeners] == [1, 1])
    assert await no_timers(node)


async def test_an_end_that_its_node_did_not_live_to_publish_is_published_by_another(
    node: Node, hasty: Node, start_node: StartNode, own_store: EmbeddedStore, replica: EmbeddedStore
) -> None:
    teller, hearer = [await start_node(own_store.url) for _ in range(2)]
    lobby_id = await ready_to_claim(node)
    listener = await listen(hearer, lobby_id)
    pause(replica)
    with pytest.raises(StoreUnavailable):
        await hasty.play.claim("ann", lobby_id)
    resume(replica)
    async with calling(teller):
        await until(lambda: ends(listener) == 1)
        await until(lambda: no_timers(teller))


async def test_numbers_are_called_while_no_replica_answers(
    node: Node, replica: EmbeddedStore
) -> None:
    lobby_id = await begun(node, 7000)
    listener = await listen(node, lobby_id)
    pause(replica)
    async with calling(node):
        await until(lambda: len(listener.records) == 50)
        assert ends(listener) == 0
        resume(replica)


async def test_without_the_setting_there_is_no_further_connection(
    own_store: EmbeddedStore, start_node: StartNode
) -> None:
    node = await start_node(own_store.url, STORE_REPLICAS="0")
    await node.pay(await node.sit("ann"))
    assert node.stores.confirming is None


async def refused_start(node: Node) -> str:
    with pytest.raises(WeakDurability) as refused:
        await node.stores.wait_until_usable()
    return str(refused.value)


async def test_a_start_is_refused_without_the_replicas_or_where_the_primary_would_go_on_alone(
    start_node: StartNode, own_store: EmbeddedStore, replica: EmbeddedStore
) -> None:
    said = await refused_start(await start_node(own_store.url))
    assert "min-replicas-to-write 0 instead of 1" in said
    await ask(own_store, "CONFIG", "SET", "min-replicas-to-write", "1")
    await (await start_node(own_store.url)).stores.wait_until_usable()
    said = await refused_start(await start_node(own_store.url, STORE_REPLICAS="2"))
    assert "it has 1 of the 2 replicas that STORE_REPLICAS waits for" in said
    assert "\n" not in said
    allowed = {"STORE_REPLICAS": "2", "ALLOW_WEAK_DURABILITY": "true"}
    await (await start_node(own_store.url, **allowed)).stores.wait_until_usable()


async def test_no_payment_is_taken_while_the_replica_is_away_and_they_are_again_when_it_is_back(
    start_node: StartNode, own_store: EmbeddedStore, replica: EmbeddedStore
) -> None:
    await ask(own_store, "CONFIG", "SET", "min-replicas-to-write", "1")
    node = await start_node(own_store.url)
    await node.stores.wait_until_usable()
    monitor = node.stores.monitor
    monitor.start()
    assert monitor.trusted
    replica.stop()
    await until(lambda: not monitor.trusted)
    with pytest.raises(StoreUnavailable):
        await node.seats.join("ann", BUY_IN, "")
    replica.start()
    await until(lambda: monitor.trusted)
    await node.pay(await node.sit("ann"))


async def test_a_primary_that_was_demoted_is_left_by_those_who_wait_as_well(
    start_node: StartNode, own_store: EmbeddedStore, replica: EmbeddedStore
) -> None:
    async with Proxy(own_store.url) as name:
        node = await start_node(name.url)
        await node.pay(await node.sit("ann"))
        name.lead_to(replica.url)
        await ask(replica, "REPLICAOF", "NO", "ONE")
        await ask(own_store, "REPLICAOF", *address(replica.url))
        await until(lambda: is_in_sync(own_store))

        async def is_seated() -> bool:
            try:
                return isinstance(await node.seats.join("bob", BUY_IN, ""), Seated)
            except StoreUnavailable:
                return False

        await until(is_seated)
        await node.close()
