"""The runs: games on several servers, with one kind of fault each, and what has to hold after."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from server.dev.store import EmbeddedStore
from tests.system.faults import plans
from tests.system.faults.verdict import Tally
from tests.system.faults.world import world

# The long runs, whose table is quoted, are for a person with time.
LONG = os.environ.get("FAULT_LONG") == "1"
OUTAGE_SECONDS = 10 if LONG else 3


@dataclass(frozen=True, slots=True)
class Run:
    """So many servers, so many games, as many of them at once, and what is done to them."""

    plan: plans.Plan
    servers: int
    games: int
    long_games: int
    at_once: int
    settings: Mapping[str, str] = field(default_factory=dict)


SLOW = {"CALL_INTERVAL_SECONDS": "0.5"}

RUNS: Mapping[str, Run] = {
    "servers killed or hung, one a second": Run(plans.kill_or_hang_servers, 3, 6, 100, 6),
    "links cut": Run(plans.cut_links, 2, 6, 50, 6),
    "links cut, servers killed or hung": Run(plans.cut_links_and_kill_servers, 3, 6, 100, 6),
    "rolling restart": Run(
        plans.restart_one_after_the_other, 2, 10, 100, 100, SLOW if LONG else {}
    ),
    "store hung": Run(plans.hang_store(OUTAGE_SECONDS), 2, 6, 20, 20),
    "store killed": Run(plans.kill_store(OUTAGE_SECONDS), 2, 6, 20, 20),
    "store closes connections": Run(plans.close_store_connections, 2, 6, 50, 10),
}


async def carry_out(run: Run, store: EmbeddedStore, directory: Path) -> Tally:
    """Play a run to its end. Asserts that nothing was called twice or left out, lost or doubled,
    and that the ledger balances."""
    games = run.long_games if LONG else run.games
    async with world(store, directory, run.servers, **run.settings) as its_world:
        tally = await its_world.play(games, min(games, run.at_once), run.plan)
        audit = await its_world.audit()
    assert audit.exit_code == 0, audit.output
    assert tally.games == games
    assert tally.wrong == 0, tally
    return tally
