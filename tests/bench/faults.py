"""All runs under faults, and their table. `FAULT_LONG=1 python -m tests.bench.faults` is the one
that is quoted; names of runs as arguments choose some of them."""

import asyncio
import sys
import tempfile
from pathlib import Path

from server.dev.store import EmbeddedStore
from tests.system.faults.runs import RUNS, carry_out
from tests.system.faults.table import table


def main() -> None:
    """Carry out the runs, each on a store of its own, and print the table after each."""
    tallies = {}
    for name in sys.argv[1:] or RUNS:
        with (
            tempfile.TemporaryDirectory() as directory,
            EmbeddedStore(Path(directory) / "store") as store,
        ):
            tallies[name] = asyncio.run(carry_out(RUNS[name], store, Path(directory)))
        sys.stdout.write(f"{table(tallies)}\n")


if __name__ == "__main__":
    main()
