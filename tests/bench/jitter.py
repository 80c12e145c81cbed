"""How late numbers are called: `python -m tests.bench.jitter [LOBBIES [INTERVAL_SECONDS [CALLS]]]`.

One `fair-bingo serve` calls numbers in all lobbies; nobody is connected to it, so it loads each
lobby anew for each call, which is its most expensive way. This process fills the lobbies, follows
them, and takes the time by the store's clock.
"""

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from server.dev.store import EmbeddedStore
from server.rules.events import GameStarted, NumberCalled
from server.runtime.clock import StoreClock
from server.store.log import Record, Snapshot
from tests.bench.support.percentiles import summary
from tests.support.game import BUY_IN, CLASSIC, Node, starting_nodes
from tests.support.wait import until
from tests.system.faults.world import world

ARRANGING_MS = 1_000
SET_UP_SECONDS = 120


@dataclass(slots=True)
class CallLateness:
    """How long after they were due calls were committed, and received here, in ms. `shifted` counts
    calls that were not due at the game's start plus a multiple of the interval: an earlier one was
    so late that it delayed them."""

    committed_ms: list[float] = field(default_factory=list)
    received_ms: list[float] = field(default_factory=list)
    shifted: int = 0


class CallListener:
    """Listens to the calls in every lobby of which the node has a replica."""

    def __init__(self, clock: StoreClock) -> None:
        self.lateness = CallLateness()
        self._clock = clock
        self._due_ms: dict[str, int] = {}

    def happened(self, lobby_id: str, snapshot: Snapshot, records: Sequence[Record]) -> None:
        now_ms = self._clock.now_ms()
        for record in records:
            if isinstance(record.event, NumberCalled):
                self._called(snapshot, self._due_ms[lobby_id], record.position.at_ms, now_ms)
            if isinstance(record.event, GameStarted | NumberCalled):
                self._due_ms[lobby_id] = record.event.next_call_at

    def reset(self, lobby_id: str, _snapshot: Snapshot) -> None:
        raise AssertionError(f"the store has lost nothing of {lobby_id}")

    def gone(self, lobby_id: str) -> None:
        raise AssertionError(f"the store has lost {lobby_id}")

    def invoice_changed(self, _lobby_id: str, _alien_id: str) -> None:
        """Invoices are paid while the lobbies are set up."""

    def _called(self, snapshot: Snapshot, due_ms: int, committed_ms: float, now_ms: float) -> None:
        self.lateness.committed_ms.append(committed_ms - due_ms)
        self.lateness.received_ms.append(now_ms - due_ms)
        lobby = snapshot.lobby
        if lobby is not None and lobby.started_at is not None:
            interval_ms = lobby.variant.call_interval_ms
            self.lateness.shifted += (due_ms - lobby.started_at) % interval_ms != 0


async def measure(
    store: EmbeddedStore, directory: Path, *, lobbies: int, interval_seconds: float, calls: int
) -> CallLateness:
    """Run so many lobbies of two, all at the same time, until each had so many calls on average."""
    variant = replace(
        CLASSIC,
        max_players=2,
        arranging_ms=ARRANGING_MS,
        call_interval_ms=round(interval_seconds * 1000),
    )
    async with world(store, directory, 1, LOG_LEVEL="warning"), starting_nodes() as start:
        node = await start(store.url, tiers={BUY_IN: variant})
        listener = CallListener(node.clock)
        node.replicas.listener = listener
        await fill(node, lobbies)
        timeout_seconds = SET_UP_SECONDS + 2 * calls * interval_seconds
        await until(lambda: len(listener.lateness.received_ms) >= lobbies * calls, timeout_seconds)
        return listener.lateness


async def fill(node: Node, lobbies: int) -> None:
    """Fill so many lobbies, and follow them from before they start."""
    for number in range(lobbies):
        first = await node.sit(f"first-{number}")
        assert await node.replicas.acquire(first.lobby.lobby_id)
        await node.pay(first)
        await node.seat(f"second-{number}")


def main() -> None:
    """Measure, by default with as many lobbies as one server should call in with ease."""
    defaults = ("1000", "3", "10")
    given = sys.argv[1:]
    lobbies, interval_seconds, calls = [*given, *defaults[len(given) :]]
    with (
        tempfile.TemporaryDirectory() as directory,
        EmbeddedStore(Path(directory) / "store") as store,
    ):
        lateness = asyncio.run(
            measure(
                store,
                Path(directory),
                lobbies=int(lobbies),
                interval_seconds=float(interval_seconds),
                calls=int(calls),
            )
        )
    for name, late_ms in (
        ("committed", lateness.committed_ms),
        ("received", lateness.received_ms),
    ):
        sys.stdout.write(f"{summary(name, 'calls', late_ms)}, worst {max(late_ms):.2f} ms\n")
    sys.stdout.write(f"{lateness.shifted} calls were shifted by an earlier one\n")


if __name__ == "__main__":
    main()
