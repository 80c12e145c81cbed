"""One server instance without its transport: everything below it, as the server composes it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any, Protocol

from protocol.errors import ErrorCode, Refused
from protocol.payments import PaymentDelivery, WebhookAnswer
from server.assembly.beacon import beacon_of
from server.assembly.stores import Stores
from server.assembly.use_cases import UseCases
from server.outside.alien_payments import delivery_of
from server.rules.payments import Terms
from server.rules.variants import Variant
from server.runtime.clock import StoreClock
from server.runtime.metrics import Metrics
from server.runtime.settings import load_settings
from server.services.past import Past
from server.services.seat_requests import MayJoin
from server.services.seats import Seated
from server.store.past_ledger import PastLedger
from server.store.shards import open_topology
from server.store.timings import PATIENT, StoreTimings
from tests.rules.games import BUY_IN as BUY_IN
from tests.rules.games import CLASSIC as CLASSIC
from tests.support.wait import until

TABLE = "3500"
# A whole game in well under a second, with the order of its phases kept. A seat waits for its
# payment, however long this machine takes: without it there would be no game.
BRISK = replace(CLASSIC, formation_ms=200, arranging_ms=20, call_interval_ms=5)
TERMS = Terms(recipient="provider", token="ALIEN", network="alien")
SETTINGS = {
    "ALIEN_PROVIDER_ADDRESS": TERMS.recipient,
    "WEBHOOK_PUBLIC_KEY": "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29",
}
"""The settings that a server needs; that key is nobody's here."""


class Node:
    """A server instance on the store at `url`, which subscribes at `listen_url` if that is given.
    `tiers` is the variant of each buy-in; `sharded`, whether channels are; `joins`, whether a
    player may join now; `past_of` makes the port to what has left the store. The rest is as
    `settings` say, by their names in the environment."""

    def __init__(
        self,
        url: str,
        tiers: Mapping[int, Variant] | None = None,
        *,
        listen_url: str | None = None,
        sharded: bool = True,
        joins: MayJoin = lambda _alien_id: True,
        timings: StoreTimings = PATIENT,
        past_of: Callable[[PastLedger], Past] | None = None,
        **settings: str,
    ) -> None:
        self.url = url
        tiers = tiers or {BUY_IN: CLASSIC}
        offered = {"REDIS_URL": url, "BUY_IN_TIERS": ",".join(map(str, tiers))}
        loaded = load_settings(SETTINGS | offered | settings)
        metrics = self.metrics = Metrics()
        self.clock = StoreClock()
        self.stores = Stores(loaded, self.clock, metrics, timings)
        self.stores.channels.sharded = sharded
        self._listening = (
            self.stores.topology if listen_url is None else open_topology(listen_url, None, timings)
        )
        self.subscription = self._listening.subscription(
            self.stores.channels, lambda: self.replicas.restore()
        )
        self.beacon = beacon_of(loaded, self.clock)
        use_cases = UseCases(
            loaded,
            tiers,
            self.stores,
            self.subscription,
            self.clock,
            metrics,
            joins,
            None if past_of is None else past_of(self.stores.past_ledger),
            self.beacon,
        )
        self.beacons = use_cases.beacons
        self.connection = self.stores.connection
        self.commits = self.stores.commits
        self.tables = self.stores.tables
        self.store = self.stores.lobbies
        self.invoices = self.stores.invoices
        self.timers = self.stores.timers
        self.directory = self.stores.directory
        self.replicas = use_cases.replicas
        self.lobbies = use_cases.lobbies
        self.billing = use_cases.billing
        self.limits = use_cases.limits
        self.seats = use_cases.seats
        self.play = use_cases.play
        self.payments = use_cases.payments
        self.scheduler = use_cases.scheduler
        self.cluster_stats = use_cases.cluster_stats
        self.operators = use_cases.operators
        self.operator_watch = use_cases.operator_watch

    async def start(self) -> None:
        """Connect, and learn the store's time."""
        self.stores.topology.start()
        self.subscription.start()
        await self.timers.take_due("none", 1)
        if self.beacon is not None:
            await self.beacon.start()

    async def close(self) -> None:
        """Let go of the store. The scheduler is stopped by whoever started it."""
        await self.beacons.close()
        if self.beacon is not None:
            await self.beacon.close()
        await self.replicas.close()
        await self.subscription.close()
        await self.stores.close()
        await self._listening.stop()

    async def sit(self, alien_id: str, buy_in_amount: int = BUY_IN) -> Seated:
        """Seat a player, who has yet to pay. This must not be refused; what is `unavailable` is
        tried again."""
        while True:
            seated = await self.seats.join(alien_id, buy_in_amount, f"seed of {alien_id}")
            if seated != Refused(ErrorCode.UNAVAILABLE):
                break
        assert isinstance(seated, Seated), seated
        return seated

    async def wait_until_past(self, at_ms: float) -> None:
        """Return when the store's clock is past that time (Unix ms), and so is this node's estimate
        of it: a quick answer of the store may set that back, but not behind the store's clock."""

        async def store_is_past() -> bool:
            asked_ms = self.clock.monotonic_ms()
            await self.connection.set_clock()
            error_ms = self.clock.monotonic_ms() - asked_ms
            return self.clock.now_ms() - error_ms > at_ms

        await until(store_is_past)

    async def pay(self, seated: Seated) -> None:
        """Pay a seat, which must count. As a provider does, repeat it while it is `unavailable`."""
        while (answer := await self.deliver(paid(seated))) == Refused(ErrorCode.UNAVAILABLE):
            pass
        assert answer == WebhookAnswer(processed=True), answer

    async def seat(self, *players: str) -> list[Seated]:
        """Seat players, each of whom pays at once."""
        seats = [await self.sit(player) for player in players]
        for seated in seats:
            await self.pay(seated)
        return seats

    async def deliver(
        self, delivery: PaymentDelivery, body: bytes | None = None
    ) -> WebhookAnswer | Refused:
        """Deliver as the provider does, with that body or the shortest for the delivery."""
        body = raw_body(delivery) if body is None else body
        return await self.payments.deliver(delivery_of(delivery, body), body)


class StartNode(Protocol):
    """Starts a `Node` with these arguments."""

    def __call__(self, url: str, **options: Any) -> Awaitable[Node]:
        """The started node."""
        ...


@asynccontextmanager
async def starting_nodes(**defaults: Any) -> AsyncIterator[StartNode]:
    """A `StartNode`, whose options are `defaults` unless they are given; what it started is closed
    in the end."""
    async with AsyncExitStack() as stack:

        async def start(url: str, **options: Any) -> Node:
            node = Node(url, **defaults | options)
            stack.push_async_callback(node.close)
            await node.start()
            return node

        yield start


@asynccontextmanager
async def calling(*nodes: Node) -> AsyncIterator[None]:
    """The schedulers of these nodes are at work, once."""
    for node in nodes:
        node.scheduler.start()
    try:
        yield
    finally:
        await asyncio.gather(*(node.scheduler.stop() for node in nodes))


async def is_over(node: Node, lobby_id: str) -> bool:
    """Whether a lobby has ended."""
    lobby = (await node.store.load(lobby_id)).lobby
    return lobby is not None and lobby.status == "finished"


def paid(seated: Seated, **changes: object) -> PaymentDelivery:
    """A delivery that pays a seat as asked, but for `changes`."""
    invoice = seated.invoice
    fields = {
        "invoice": invoice.invoice_id,
        "status": "finalized",
        "txHash": f"tx-{invoice.invoice_id}",
        "amount": invoice.amount,
    }
    return PaymentDelivery.model_validate(fields | changes)


def failed(seated: Seated, **changes: object) -> PaymentDelivery:
    """A delivery that says that the payment of a seat failed."""
    return paid(seated, status="failed", amount=None, **changes)


def raw_body(delivery: PaymentDelivery) -> bytes:
    """The body of a delivery as the provider sends it."""
    return delivery.model_dump_json(exclude_none=True).encode()
