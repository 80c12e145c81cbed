"""How late calls are when a primary is failed over by hand:

    python -m tests.bench.handover [--rounds N] [--lobbies N]

Two nodes call numbers every 0.1 s in lobbies of two, behind an address that the operator moves. A
second into the games primary and replica change places, in each round: by the steps of the
operator's guide, or by `FAILOVER TO`. The numbers called are compared with the order that the seed
fixed.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from pathlib import Path

import uvloop
from redis import ResponseError

from server.dev.store import EmbeddedStore
from server.runtime import logs
from server.store.errors import StoreUnavailable
from tests.support.game import BRISK, BUY_IN, Node, starting_nodes
from tests.support.proxy import Proxy
from tests.support.replication import (
    address,
    ask,
    has_role,
    is_in_sync,
    replica_of,
    switch_over,
)
from tests.support.wait import until
from tests.system.faults.verdict import Tally, judge

DUEL = replace(BRISK, max_players=2, call_interval_ms=100)
OPTIONS = ("--min-replicas-to-write", "1", "--repl-diskless-sync-delay", "0")
SETTINGS = {
    "STORE_REPLICAS=0": {},
    "STORE_REPLICAS=1": {"STORE_REPLICAS": "1", "STORE_REPLICAS_SECONDS": "1"},
}

Failover = Callable[[EmbeddedStore, EmbeddedStore, Callable[[], None]], Awaitable[None]]
"""Makes the second store the primary instead of the first, and moves the address by the third."""


async def failover_to(
    primary: EmbeddedStore, replica: EmbeddedStore, move: Callable[[], None]
) -> None:
    """`FAILOVER TO`, again until it is done."""

    async def is_done() -> bool:
        # One may be under way already, or the replica have yet to report its offset.
        with suppress(ResponseError):
            await ask(primary, "FAILOVER", "TO", *address(replica.url), "TIMEOUT", 1000)
        return await has_role(replica, "master")

    await until(is_done)
    move()


async def fill(node: Node, count: int) -> list[str]:
    """The ids of so many lobbies of two who have paid."""
    seats = []
    for number in range(count):
        seats += await node.seat(f"one-{number}", f"two-{number}")
    return list(dict.fromkeys(seated.lobby.lobby_id for seated in seats))


async def are_over(node: Node, lobby_ids: list[str]) -> bool:
    """Whether all these games are over; not if there is no store to ask."""
    with suppress(StoreUnavailable):
        found = await asyncio.gather(*map(node.store.load, lobby_ids))
        return all(each.lobby is not None and each.lobby.status == "finished" for each in found)
    return False


async def main(
    stores: list[EmbeddedStore],
    fail_over: Failover,
    rounds: int,
    lobbies: int,
    settings: Mapping[str, str],
) -> tuple[Tally, list[float]]:
    """Play games in so many lobbies in each round, and fail the stores over while they are played.
    The tally of all games, and how many seconds each failover took."""
    took_seconds = []
    tally = Tally()
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(Proxy(stores[0].url))
        start = await stack.enter_async_context(starting_nodes(tiers={BUY_IN: DUEL}, **settings))
        nodes = [await start(proxy.url) for _ in range(2)]
        for node in nodes:
            node.scheduler.start()
        for _ in range(rounds):
            lobby_ids = await fill(nodes[0], lobbies)
            await asyncio.sleep(1)
            begun_s = time.monotonic()
            primary, replica = stores
            await fail_over(primary, replica, lambda new=replica: proxy.lead_to(new.url))  # type: ignore[misc]
            took_seconds.append(time.monotonic() - begun_s)
            stores.reverse()
            await until(lambda lobby_ids=lobby_ids: are_over(nodes[0], lobby_ids))  # type: ignore[misc]
            for lobby_id in lobby_ids:
                await judge(nodes[0], lobby_id, tally)
            await until(lambda: is_in_sync(stores[1]))
        await asyncio.gather(*(node.scheduler.stop() for node in nodes))
    return tally, took_seconds


def row(name: str, tally: Tally, took_seconds: Sequence[float]) -> str:
    """A row of the table."""
    return (
        f"| {name} | {len(took_seconds)} | {max(took_seconds):.2f} s | {tally.calls}"
        f" | {tally.wrong} | {tally.worst_delay_seconds:.2f} s |\n"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lobbies", type=int, default=20, help="in each round")
    options = parser.parse_args()
    logs.configure("critical", "console")
    sys.stdout.write("| | failovers | longest | calls | lost or out of order | worst delay |\n")
    sys.stdout.write("|---|---|---|---|---|---|\n")
    with (
        tempfile.TemporaryDirectory() as directory,
        EmbeddedStore(Path(directory) / "one") as one,
        replica_of(one, Path(directory) / "two", *OPTIONS) as two,
    ):
        for label, settings in SETTINGS.items():
            for way, fail_over in {"by hand": switch_over, "FAILOVER TO": failover_to}.items():
                stores = [one, two] if asyncio.run(has_role(one, "master")) else [two, one]
                asyncio.run(until(lambda stores=stores: is_in_sync(stores[1])))  # type: ignore[misc]
                tally, took_seconds = uvloop.run(
                    main(stores, fail_over, options.rounds, options.lobbies, settings)
                )
                sys.stdout.write(row(f"{way}, {label}", tally, took_seconds))
                sys.stdout.flush()
