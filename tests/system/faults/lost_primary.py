"""The primary is lost with its disk while games are played: what was acknowledged is there."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from server.rules.events import GameFinished, PlayerKicked
from server.store.ledger import LedgerEntry
from server.store.log import Record
from tests.system.faults.follower import Follower
from tests.system.faults.primaries import Primaries
from tests.system.faults.verdict import Tally, judge
from tests.system.faults.world import World, world

PAUSE_SECONDS: Final = (1.0, 4.0)
SETTINGS: Final = {"STORE_REPLICAS": "1", "STORE_REPLICAS_SECONDS": "1"}

Topology = Callable[[Path], AbstractAsyncContextManager[Primaries]]


@dataclass(slots=True)
class Losses:
    """What became of what was acknowledged or published."""

    tally: Tally = field(default_factory=Tally)
    primaries: int = 0
    servers: int = 0
    payments: int = 0
    payments_lost: int = 0
    claims: int = 0
    claims_undone: int = 0
    winners_heard: int = 0
    winners_contradicted: int = 0
    out_of_order: int = 0

    @property
    def wrong(self) -> int:
        """How much was lost, undone, contradicted or out of order."""
        lost = self.payments_lost + self.claims_undone + self.winners_contradicted
        return lost + self.out_of_order + self.tally.repeated + self.tally.skipped


@dataclass(frozen=True, slots=True)
class LostPrimary:
    """So many games, so many at once; the primary is lost again and again while they last, at most
    `times`, with `servers_too` a server in the same instant."""

    topology: Topology
    games: int
    at_once: int
    times: int
    servers_too: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)


async def carry_out_loss(run: LostPrimary, directory: Path) -> Losses:
    """Play the games. Asserts nothing but that they end and that the ledger balances."""
    losses = Losses()
    async with _playing(run, directory) as (its_world, primaries):
        followers = await _play(run, its_world, primaries, losses)
        logs = {}
        for follower in followers:
            logs[follower.lobby_id] = await judge(its_world.node, follower.lobby_id, losses.tally)
            _compare(follower, logs[follower.lobby_id], losses)
        await _count_payments(its_world, losses)
        _count_claims(its_world, logs, losses)
        audit = await its_world.audit()
    assert audit.exit_code == 0, audit.output
    return losses


@asynccontextmanager
async def _playing(run: LostPrimary, directory: Path) -> AsyncIterator[tuple[World, Primaries]]:
    async with AsyncExitStack() as stack:
        primaries = await stack.enter_async_context(run.topology(directory / "stores"))
        settings = {**SETTINGS, **run.settings}
        entered = world(primaries.url, directory, 2, **settings)
        yield await stack.enter_async_context(entered), primaries


async def _play(
    run: LostPrimary, its_world: World, primaries: Primaries, losses: Losses
) -> Sequence[Follower]:
    async def lose(over: asyncio.Event) -> None:
        await its_world.games.begin(min(run.at_once, run.games))
        while losses.primaries < run.times:
            await asyncio.sleep(random.uniform(*PAUSE_SECONDS))
            # One is lost however soon the games are over: what they had acknowledged must stay.
            if over.is_set() and losses.primaries:
                return
            server = random.choice([each for each in its_world.servers if each.up])
            if run.servers_too:
                server.kill()
                losses.servers += 1
            primaries.lose()
            losses.primaries += 1
            await primaries.replace()
            if run.servers_too:
                await server.restart()

    over = asyncio.Event()
    losing = asyncio.create_task(lose(over))
    playing = asyncio.create_task(its_world.games.play(run.games, run.at_once))
    try:
        await asyncio.wait([playing, losing], return_when=asyncio.FIRST_COMPLETED)
        if losing.done():
            await losing  # it has done all that it was to do, or failed
        followers = await playing
        over.set()
        await losing
        return followers
    finally:
        over.set()
        playing.cancel()
        await asyncio.wait([losing, playing])


def _compare(follower: Follower, records: Sequence[Record], losses: Losses) -> None:
    """What a follower received, against the log: it may have received numbers that were lost and
    came again, in the same order, and no end but the one that there is."""
    end = records[-1].event
    assert isinstance(end, GameFinished)
    for name, data in follower.received:
        if name == "game_finished":
            losses.winners_heard += 1
            losses.winners_contradicted += data["winner"] != end.winner
    called = {
        data["index"]: data["number"] for name, data in follower.received if name == "number_called"
    }
    for name, data in follower.received:
        if name == "number_called" and called[data["index"]] != data["number"]:
            losses.out_of_order += 1
    finished = [data for name, data in follower.received if name == "game_finished"]
    for data in finished:
        drawn = data["numbers_called"]
        # Numbers after those were lost as well: the claim was for an earlier one.
        losses.out_of_order += sum(
            drawn[index - 1] != n for index, n in called.items() if index <= len(drawn)
        )


async def _count_payments(its_world: World, losses: Losses) -> None:
    received: Counter[str] = Counter()
    for table in ("3500", "7000", "17500"):
        async for page in its_world.node.stores.ledger.pages(table):
            for entry in page:
                if isinstance(entry, LedgerEntry) and entry.kind == "received":
                    received[entry.invoice_id or ""] += 1
    losses.payments = len(its_world.games.players.paid)
    losses.payments_lost = sum(received[paid] != 1 for paid in its_world.games.players.paid)


def _count_claims(its_world: World, logs: Mapping[str, Sequence[Record]], losses: Losses) -> None:
    for lobby_id, name, valid in its_world.games.claims:
        events = [record.event for record in logs[lobby_id]]
        end = events[-1]
        assert isinstance(end, GameFinished)
        losses.claims += 1
        kicked = any(isinstance(e, PlayerKicked) and e.alien_id == name for e in events)
        losses.claims_undone += (end.winner != name) if valid else not kicked


HEAD: Final = (
    "| run | primaries lost | servers killed | games | payments acknowledged | lost"
    " | claims answered | undone | winners received | contradicted | numbers out of order"
    " | worst delay of a call |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|"
)


def loss_line(name: str, losses: Losses) -> str:
    """A run as a line of the table."""
    cells = [
        *(name, losses.primaries, losses.servers, losses.tally.games, losses.payments),
        *(losses.payments_lost, losses.claims, losses.claims_undone, losses.winners_heard),
        *(losses.winners_contradicted, losses.out_of_order + losses.tally.skipped),
        f"{losses.tally.worst_delay_seconds:.2f} s",
    ]
    return f"| {' | '.join(map(str, cells))} |"
