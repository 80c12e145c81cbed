"""The bench works. No time and no size is judged here."""

import pytest

from tests.bench.connections import STOCK_ROOT, idle_bytes, visit_costs
from tests.bench.fanout.contenders import OURS, Contender


@pytest.mark.parametrize("contender", [OURS, STOCK_ROOT], ids=lambda one: one.name)
def test_connections_are_weighed_and_timed(contender: Contender) -> None:
    assert idle_bytes(contender, 200) > 0
    # So many that they take ten ticks of the clock that counts CPU: of 50 it saw nothing once.
    assert visit_costs(contender, namespaces=5, visits=500).cpu_ms > 0
