from tests.bench.turnover import cpu_us
from tests.support.guides import ROOT


async def test_what_a_player_between_two_games_costs_is_measured() -> None:
    assert await cpu_us(ROOT, rounds=1) > 0
