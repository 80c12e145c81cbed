"""Long runs of games under faults, and the tables of what went wrong:

    python -m tests.bench.faults [NAME ...]

All runs, or those with these names. `FAULT_GAMES` in the environment is how many games are played
while primaries are lost: 100 if it is not given.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from server.dev.store import EmbeddedStore
from tests.system.faults.lost_primary import HEAD, LostPrimary, carry_out_loss, loss_line
from tests.system.faults.primaries import by_name, by_sentinels, in_a_cluster
from tests.system.faults.runs import carry_out, long_runs
from tests.system.faults.table import table

GAMES = int(os.environ.get("FAULT_GAMES", "100"))
LOSSES = {
    "primary lost with its disk, plain": LostPrimary(by_name, GAMES, 10, 10),
    "primary lost with its disk, sentinel": LostPrimary(by_sentinels, GAMES, 10, 10),
    "primary lost with its disk, cluster": LostPrimary(in_a_cluster, GAMES, 10, 10),
    "primary and server lost, plain": LostPrimary(by_name, GAMES, 10, 10, servers_too=True),
    "primary and server lost, sentinel": LostPrimary(by_sentinels, GAMES, 10, 10, servers_too=True),
    "primary and server lost, cluster": LostPrimary(in_a_cluster, GAMES, 10, 10, servers_too=True),
}
"""The runs in which primaries are lost. What has to hold after them differs, and so does their
table."""


def main() -> None:
    """Carry out the runs, each on a store of its own, and print the tables after each."""
    runs = long_runs()
    tallies = {}
    names = sys.argv[1:] or [*runs, *LOSSES]
    for name in [name for name in names if name in LOSSES]:
        with tempfile.TemporaryDirectory() as directory:
            losses = asyncio.run(carry_out_loss(LOSSES[name], Path(directory)))
        sys.stdout.write(f"{HEAD}\n{loss_line(name, losses)}\n")
        sys.stdout.flush()
    for name in [name for name in names if name not in LOSSES]:
        with (
            tempfile.TemporaryDirectory() as directory,
            EmbeddedStore(Path(directory) / "store") as store,
        ):
            tallies[name] = asyncio.run(carry_out(runs[name], store, Path(directory)))
        sys.stdout.write(f"{table(tallies)}\n")


if __name__ == "__main__":
    main()
