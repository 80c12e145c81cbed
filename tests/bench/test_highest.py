import os

import pytest

from tests.bench.highest import expectation, highest
from tests.bench.support.machine_speed import measure_machine


@pytest.mark.parametrize("limit", [0, 130, 700, 1000, 1001, 7777, 19_999, 50_000])
async def test_the_highest_number_that_holds_is_found_to_a_tenth(limit: int) -> None:
    asked = []

    async def holds(players: int) -> bool:
        asked.append(players)
        return players <= limit

    found = await highest(holds, start=1000, most=20_000)

    assert found <= limit
    assert limit <= max(1.1 * found, 125) or found == 20_000
    assert len(asked) < 12


def test_what_to_expect_of_another_machine_goes_by_its_speed() -> None:
    assert expectation(33_000, 240_000).splitlines()[0].startswith("138 players")
    assert expectation(33_000, 240_000).splitlines()[-2].split() == ["240,000", "33,000"]


def test_the_machine_is_measured() -> None:
    core = min(os.sched_getaffinity(0))
    speed = measure_machine(core, sockets=20, slices=1, commits=50)
    assert speed.deliveries_per_second > 0
    assert speed.commits_per_second > 0
