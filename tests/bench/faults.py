"""The long runs under faults, and their table: `python -m tests.bench.faults [NAME ...]`."""

import asyncio
import sys
import tempfile
from pathlib import Path

from server.dev.store import EmbeddedStore
from tests.system.faults.runs import carry_out, long_runs
from tests.system.faults.table import table


def main() -> None:
    """Carry out the runs, each on a store of its own, and print the table so far after each."""
    runs = long_runs()
    tallies = {}
    for name in sys.argv[1:] or runs:
        with (
            tempfile.TemporaryDirectory() as directory,
            EmbeddedStore(Path(directory) / "store") as store,
        ):
            tallies[name] = asyncio.run(carry_out(runs[name], store, Path(directory)))
        sys.stdout.write(f"{table(tallies)}\n")


if __name__ == "__main__":
    main()
