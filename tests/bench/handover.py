"""How late calls are when a primary is failed over by hand: `python -m tests.bench.handover`.

Two nodes call numbers every 0.1 s in lobbies of two, behind an address that the operator moves. A
few seconds into the games primary and replica change places, again and again: by the steps of the
operator's guide, or by `FAILOVER TO`. What was called is compared with the order that the seed
fixed.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
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
    asked,
    change_places,
    has_role,
    is_in_step,
    replica_of,
)
from tests.support.wait import until
from tests.system.faults.verdict import Tally, judge

DUEL = replace(BRISK, max_players=2, call_interval_ms=100)
OPTIONS = ("--min-replicas-to-write", "1", "--repl-diskless-sync-delay", "0")
SETTINGS = {
    "STORE_REPLICAS=0": {},
    "STORE_REPLICAS=1": {"STORE_REPLICAS": "1", "STORE_REPLICAS_SECONDS": "1"},
}

Move = Callable[[EmbeddedStore, EmbeddedStore, Callable[[], None]], Awaitable[None]]


async def failover_to(old: EmbeddedStore, new: EmbeddedStore, move: Callable[[], None]) -> None:
    """`FAILOVER TO`, again until it is done."""

    async def is_done() -> bool:
        with suppress(ResponseError):  # it is under way, or the replica has yet to say something
            await asked(old, "FAILOVER", "TO", *address(new.url), "TIMEOUT", 1000)
        return await has_role(new, "master")

    await until(is_done)
    move()


async def games(node: Node, count: int) -> list[str]:
    """Lobbies of two that have all paid."""
    seats = []
    for number in range(count):
        seats += await node.seat(f"one-{number}", f"two-{number}")
    return list(dict.fromkeys(seated.lobby.lobby_id for seated in seats))


async def are_over(node: Node, lobby_ids: list[str]) -> bool:
    with suppress(StoreUnavailable):
        found = await asyncio.gather(*map(node.store.load, lobby_ids))
        return all(each.lobby is not None and each.lobby.status == "finished" for each in found)
    return False


async def main(
    stores: list[EmbeddedStore],
    change: Move,
    rounds: int,
    lobbies: int,
    settings: Mapping[str, str],
) -> tuple[Tally, list[float]]:
    """The tally of all games, and how long each change took (s)."""
    took = []
    tally = Tally()
    async with AsyncExitStack() as stack:
        name = await stack.enter_async_context(Proxy(stores[0].url))
        start = await stack.enter_async_context(starting_nodes(tiers={BUY_IN: DUEL}, **settings))
        nodes = [await start(name.url) for _ in range(2)]
        for node in nodes:
            node.scheduler.start()
        for _ in range(rounds):
            lobby_ids = await games(nodes[0], lobbies)
            await asyncio.sleep(1)
            begun = time.monotonic()
            primary, replica = stores
            await change(primary, replica, lambda new=replica: name.lead_to(new.url))  # type: ignore[misc]
            took.append(time.monotonic() - begun)
            stores.reverse()
            await until(lambda lobby_ids=lobby_ids: are_over(nodes[0], lobby_ids))  # type: ignore[misc]
            for lobby_id in lobby_ids:
                await judge(nodes[0], lobby_id, tally)
            await until(lambda: is_in_step(stores[1]))
        await asyncio.gather(*(node.scheduler.stop() for node in nodes))
    return tally, took


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lobbies", type=int, default=20)
    options = parser.parse_args()
    logs.configure("critical", "console")
    sys.stdout.write(
        "| | changes | longest change | calls | lost or out of order | worst delay |\n"
    )
    sys.stdout.write("|---|---|---|---|---|---|\n")
    with (
        tempfile.TemporaryDirectory() as directory,
        EmbeddedStore(Path(directory) / "one") as primary,
        replica_of(primary, Path(directory) / "two", *OPTIONS) as replica,
    ):
        for label, settings in SETTINGS.items():
            for way, change in {"by hand": change_places, "FAILOVER TO": failover_to}.items():
                pair = [primary, replica]
                if not asyncio.run(has_role(primary, "master")):
                    pair.reverse()
                asyncio.run(until(lambda pair=pair: is_in_step(pair[1])))  # type: ignore[misc]
                found, took = uvloop.run(
                    main(pair, change, options.rounds, options.lobbies, settings)
                )
                sys.stdout.write(
                    f"| {way}, {label} | {len(took)} | {max(took):.2f} s | {found.calls}"
                    f" | {found.wrong} | {found.worst_delay_seconds:.2f} s |\n"
                )
                sys.stdout.flush()
