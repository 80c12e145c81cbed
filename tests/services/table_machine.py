"""Players, a provider and time that do anything, on two nodes at once, and the ledger after it."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Iterable
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)
from redis.asyncio import Redis

from protocol.payments import PaymentDelivery, WebhookAnswer
from server.rules.commands import Kick, Tick, Void
from server.services.seats import Seated
from tests.rules.brute_force import first_complete
from tests.support.game import BRISK, BUY_IN, TABLE, Node, failed, paid
from tests.support.store_content import ledger

# So short that seats lapse, forming ends and lobbies are cancelled while the machine plays.
HASTY = replace(
    BRISK,
    max_players=3,
    seat_ms=60,
    formation_ms=80,
    lobby_ttl_ms=400,
    arranging_ms=2,
    call_interval_ms=1,
)
PLAYERS = [f"player-{number}" for number in range(6)]
TROUBLES: dict[str, dict[str, Any]] = {
    "none": {},
    "too much": {"amount": "3501"},
    "too little": {"amount": "1"},
    "recipient": {"recipient": "somebody"},
    "no amount": {"amount": None},
    "test": {"test": True},
}

MANY_TICKS = 100

players = st.sampled_from(PLAYERS)
# Not `sampled_from` what there is: how much that is depends on real time.
picks = st.integers(0, 999)
node_numbers = st.integers(0, 1)


class TableMachine(RuleBasedStateMachine):
    """Several lobbies of one table on two nodes, and everything that was delivered."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.nodes = [Node(url, {BUY_IN: HASTY}) for _ in range(2)]
        self.redis = Redis.from_url(url, decode_responses=True)
        self.seats: dict[str, Seated] = {}
        self.delivered: list[PaymentDelivery] = []
        self.came_in = 0
        self.run(self.start())

    def run(self, work: Awaitable[Any]) -> Any:
        async def awaited() -> Any:
            return await work

        return self.runner.run(awaited())

    async def start(self) -> None:
        for node in self.nodes:
            await node.start()
        await self.redis.flushall()

    def teardown(self) -> None:
        self.run(self.stop())
        self.runner.close()

    async def stop(self) -> None:
        for node in self.nodes:
            await node.close()
        await self.redis.aclose()

    # --- what happens ------------------------------------------------------------------------

    @rule(who=players, at=node_numbers)
    def join(self, who: str, at: int) -> None:
        self.run(self.sit(who, at))

    @rule(who=st.sets(players, min_size=3))
    def several_join_and_pay_at_once(self, who: set[str]) -> None:
        async def join_and_pay(number: int, player: str) -> None:
            seated = await self.sit(player, number % 2)
            await self.deliver(paid(seated), 1 - number % 2)

        self.run(all_of(join_and_pay(number, player) for number, player in enumerate(sorted(who))))

    @precondition(lambda self: self.seats)
    @rule(pick=picks, trouble=st.sampled_from([*TROUBLES, "none", "failed"]), at=node_numbers)
    def provider_delivers(self, pick: int, trouble: str, at: int) -> None:
        seated = self.some_seat(pick)
        tx = f"tx-{len(self.delivered)}"
        if trouble == "failed":
            delivery = failed(seated, txHash=tx)
        else:
            delivery = paid(seated, **{"txHash": tx} | TROUBLES[trouble])
        self.run(self.deliver(delivery, at))

    @precondition(lambda self: self.delivered)
    @rule(pick=picks, copies=st.integers(1, 4))
    def provider_repeats_itself(self, pick: int, copies: int) -> None:
        delivery = self.delivered[pick % len(self.delivered)]
        self.run(all_of(self.deliver(delivery, copy % 2) for copy in range(copies)))

    @precondition(lambda self: self.seats)
    @rule(pick=picks, at=node_numbers)
    def leave(self, pick: int, at: int) -> None:
        seated = self.some_seat(pick)
        alien_id, lobby_id = seated_player(seated), seated.lobby.lobby_id
        self.run(self.nodes[at].seats.leave(alien_id, lobby_id))

    @precondition(lambda self: self.seats)
    @rule(pick=picks, at=node_numbers)
    def claim(self, pick: int, at: int) -> None:
        seated = self.some_seat(pick)
        self.run(self.nodes[at].play.claim(seated_player(seated), seated.lobby.lobby_id))

    @precondition(lambda self: self.seats)
    @rule(pick=picks)
    def two_operators_void_while_a_player_claims(self, pick: int) -> None:
        seated = self.some_seat(pick)
        alien_id, lobby_id = seated_player(seated), seated.lobby.lobby_id
        self.run(
            all_of(
                [
                    *(node.lobbies.carry_out(lobby_id, Void()) for node in self.nodes),
                    self.nodes[0].play.claim(alien_id, lobby_id),
                ]
            )
        )

    @precondition(lambda self: self.seats)
    @rule(pick=picks)
    def a_player_is_kicked_on_one_node_and_pays_on_the_other(self, pick: int) -> None:
        seated = self.some_seat(pick)
        kick = Kick(seated_player(seated))
        self.run(
            all_of(
                [
                    self.nodes[0].lobbies.carry_out(seated.lobby.lobby_id, kick),
                    self.deliver(paid(seated, txHash=f"tx-{len(self.delivered)}"), 1),
                ]
            )
        )

    @precondition(lambda self: self.seats)
    @rule(pick=picks)
    def play_until_somebody_can_win(self, pick: int) -> None:
        lobby_id = self.some_seat(pick).lobby.lobby_id

        async def play_on() -> None:
            for _ in range(MANY_TICKS):
                await self.tick([lobby_id])
                winner = await self.winner(lobby_id)
                if winner is not None:
                    await all_of(node.play.claim(winner, lobby_id) for node in self.nodes)
                    return

        self.run(play_on())

    @rule(ms=st.sampled_from([1, 20, 90]))
    def time_passes(self, ms: int) -> None:
        async def pass_time() -> None:
            await asyncio.sleep(ms / 1000)
            await self.tick({seated.lobby.lobby_id for seated in self.latest()})

        self.run(pass_time())

    # --- how it is done ----------------------------------------------------------------------

    def latest(self) -> list[Seated]:
        """The seats that were given last, at least some of which are still held."""
        return [*self.seats.values()][-10:]

    def some_seat(self, pick: int) -> Seated:
        """One of the latest seats."""
        latest = self.latest()
        return latest[pick % len(latest)]

    async def sit(self, who: str, at: int) -> Seated:
        seated = await self.nodes[at].sit(who)
        self.seats[seated.invoice.invoice_id] = seated
        return seated

    async def deliver(self, delivery: PaymentDelivery, at: int) -> None:
        answer = await self.nodes[at].deliver(delivery)
        assert isinstance(answer, WebhookAnswer)
        self.delivered.append(delivery)
        counted = answer.processed or answer.reason == "amount_mismatch"
        if delivery.status == "finalized" and counted:
            self.came_in += int(delivery.amount or 0)

    async def tick(self, lobby_ids: Iterable[str]) -> None:
        """Both nodes do what is due in these lobbies, at once."""
        await all_of(
            node.lobbies.carry_out(lobby_id, Tick())
            for node in self.nodes
            for lobby_id in lobby_ids
        )

    async def winner(self, lobby_id: str) -> str | None:
        """Somebody who has a complete pattern and may claim it."""
        lobby = (await self.nodes[0].store.load(lobby_id)).lobby
        assert lobby is not None
        playing = (player for player in lobby.active_players() if player.grid is not None)
        complete = (p.alien_id for p in playing if first_complete(p.grid or (), lobby.called))
        return next(complete, None)

    # --- what holds --------------------------------------------------------------------------

    @invariant()
    def every_coin_is_somewhere(self) -> None:
        self.run(self.balance())

    async def balance(self) -> None:
        entries = await ledger(self.redis, TABLE)
        total: Counter[str] = Counter()
        by_lobby: defaultdict[str, Counter[str]] = defaultdict(Counter)
        owed: Counter[str] = Counter()
        for entry in entries:
            total[entry["kind"]] += int(entry["amount"])
            by_lobby[entry["lobby_id"]][entry["kind"]] += int(entry["amount"])
            if entry["kind"] == "refund_owed":
                owed[entry["invoice_id"]] += int(entry["amount"])
        assert total["received"] == self.came_in
        assert_balanced(total)
        for lobby_id, sums in by_lobby.items():
            assert_balanced(sums)
            assert sums["pot"] == await self.pot(lobby_id)
        await all_of(self.check_owed(invoice_id, owed[invoice_id]) for invoice_id in self.seats)

    async def check_owed(self, invoice_id: str, owed: int) -> None:
        """The invoice says that so much is owed back for it."""
        invoice = await self.nodes[0].billing.invoice(invoice_id)
        assert invoice is not None
        assert int(invoice.owed or 0) == owed

    async def pot(self, lobby_id: str) -> int:
        """What the lobby itself says is in its pot and in nobody's hands yet."""
        lobby = (await self.nodes[0].store.load(lobby_id)).lobby
        assert lobby is not None
        return 0 if lobby.status == "finished" else lobby.pot


def assert_balanced(sums: Counter[str]) -> None:
    somewhere = sums["pot"] + sums["payout_owed"] + sums["refund_owed"] + sums["house"]
    assert sums["received"] == somewhere


def seated_player(seated: Seated) -> str:
    """Whose seat it is."""
    return next(
        player.alien_id
        for player in seated.lobby.players.values()
        if player.invoice_id == seated.invoice.invoice_id
    )


async def all_of(work: Iterable[Awaitable[object]]) -> None:
    """Do all of it at once."""
    await asyncio.gather(*work)
