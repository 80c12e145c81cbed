"""Servers, links and the store fail while games are played; run it with -s to see the tables."""

import sys
from pathlib import Path

import pytest

from server.dev.store import EmbeddedStore
from tests.system.faults.runs import RUNS, carry_out
from tests.system.faults.table import table


@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("name", RUNS)
async def test_no_game_notices(name: str, own_store: EmbeddedStore, tmp_path: Path) -> None:
    tally = await carry_out(RUNS[name], own_store, tmp_path)
    sys.stdout.write(f"\n{table({name: tally})}\n")
    assert tally.worst_delay_seconds < 60
