"""The store's primary is lost with its disk: no coin, claim or winner that was acknowledged or
published is.

With -s the table is shown; the long runs are in tests/bench/faults.py.
"""

import sys
from pathlib import Path

import pytest

from tests.system.faults.lost_primary import HEAD, LostPrimary, carry_out_loss, loss_line
from tests.system.faults.primaries import by_name, by_sentinels, in_a_cluster

pytestmark = pytest.mark.not_replayed

RUNS = {
    "plain": LostPrimary(by_name, games=4, at_once=4, times=1, servers_too=True),
    "sentinel": LostPrimary(by_sentinels, games=4, at_once=4, times=1),
    "cluster": LostPrimary(in_a_cluster, games=4, at_once=4, times=1),
}


@pytest.mark.parametrize(("name", "run"), RUNS.items(), ids=RUNS)
async def test_what_was_acknowledged_survives_the_loss_of_the_primary_with_its_disk(
    name: str, run: LostPrimary, tmp_path: Path
) -> None:
    losses = await carry_out_loss(run, tmp_path)
    sys.stdout.write(f"\n{HEAD}\n{loss_line(name, losses)}\n")
    assert losses.primaries == run.times
    assert losses.payments == 2 * run.games
    assert losses.winners_heard >= run.games
    assert losses.wrong == 0, losses
