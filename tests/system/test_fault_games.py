"""Servers, links and the store fail while games are played, and no game notices more than a delay.

With -s the table of each run is shown; the long runs are in tests/bench/faults.py.
"""

import sys
from pathlib import Path

import pytest

from server.dev.store import EmbeddedStore
from tests.system.faults.runs import Run, brief_runs, carry_out
from tests.system.faults.table import table

STUCK_SECONDS = 150


@pytest.mark.parametrize(("name", "run"), brief_runs().items(), ids=brief_runs())
async def test_every_game_is_played_to_its_end_and_followed_without_a_gap(
    name: str, run: Run, own_store: EmbeddedStore, tmp_path: Path
) -> None:
    tally = await carry_out(run, own_store, tmp_path)
    sys.stdout.write(f"\n{table({name: tally})}\n")
    assert tally.worst_delay_seconds < STUCK_SECONDS
