from tests.bench.turnover import HERE, cpu_us


async def test_what_a_player_between_two_games_costs_is_measured() -> None:
    assert await cpu_us(HERE, rounds=1) > 0
