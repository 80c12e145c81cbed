"""The runs: games on several servers, with one kind of fault each, and what has to hold after."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from server.dev.store import EmbeddedStore
from tests.system.faults import plans
from tests.system.faults.verdict import Tally
from tests.system.faults.world import world


@dataclass(frozen=True, slots=True)
class Run:
    """So many servers, so many games, so many of them at once, and what is done meanwhile."""

    plan: plans.Plan
    servers: int
    games: int
    at_once: int
    settings: Mapping[str, str] = field(default_factory=dict)


def brief_runs() -> Mapping[str, Run]:
    """Those that every change has to pass."""
    return {
        "links cut, servers killed or hung": Run(plans.cut_links_and_kill_servers, 3, 6, 6),
        "rolling restart": Run(plans.restart_one_after_the_other, 2, 10, 10),
        "store hung": Run(plans.hang_store(3), 2, 6, 6),
        "store killed": Run(plans.kill_store(3), 2, 6, 6),
        "store closes connections": Run(plans.close_store_connections, 2, 6, 6),
    }


def long_runs() -> Mapping[str, Run]:
    """Those whose table is worth quoting."""
    return {
        "servers killed or hung, one a second": Run(plans.kill_or_hang_servers, 3, 100, 6),
        "links cut": Run(plans.cut_links, 2, 50, 6),
        "links cut, servers killed or hung": Run(plans.cut_links_and_kill_servers, 3, 100, 6),
        "rolling restart": Run(
            plans.restart_one_after_the_other, 2, 100, 100, {"CALL_INTERVAL_SECONDS": "0.5"}
        ),
        "store hung": Run(plans.hang_store(10), 2, 20, 20),
        "store killed": Run(plans.kill_store(10), 2, 20, 20),
        "store closes connections": Run(plans.close_store_connections, 2, 50, 10),
    }


async def carry_out(run: Run, store: EmbeddedStore, directory: Path) -> Tally:
    """Play a run to its end. Asserts that nothing was called twice or left out, lost or doubled,
    and that the ledger balances."""
    async with world(store, directory, run.servers, **run.settings) as its_world:
        tally = await its_world.play(run.games, run.at_once, run.plan)
        audit = await its_world.audit()
    assert audit.exit_code == 0, audit.output
    assert tally.games == run.games
    assert tally.wrong == 0, tally
    return tally
