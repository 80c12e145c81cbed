"""The test of randomness: its probabilities, and what it finds."""

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.rules.uniformity import OrderCounts, chi_square_p

N = 20


def counted(orders: list[list[int]]) -> OrderCounts:
    """The counts of these orders."""
    counts = OrderCounts(N)
    for order in orders:
        counts.add(order)
    return counts


def fair(random: Random) -> list[int]:
    """An order of all numbers."""
    return random.sample(range(1, N + 1), N)


@pytest.mark.parametrize(
    ("statistic", "degrees", "p"),  # from tables of the distribution
    [
        (3.841, 1, 0.05),
        (6.635, 1, 0.01),
        (18.307, 10, 0.05),
        (66.339, 49, 0.05),
        (23.209, 10, 0.01),
    ],
)
def test_the_probabilities_are_those_of_the_tables(
    statistic: float, degrees: int, p: float
) -> None:
    assert chi_square_p(statistic, degrees) == pytest.approx(p, rel=1e-3)


@given(st.integers(1, 60), st.floats(0, 200))
def test_for_even_degrees_they_are_a_sum_of_poisson(half: int, x: float) -> None:
    exact = math.fsum(
        math.exp(k * math.log(x) - x - math.lgamma(k + 1)) if x else float(k == 0)
        for k in range(half)
    )
    assert chi_square_p(2 * x, 2 * half) == pytest.approx(exact, rel=1e-6, abs=1e-9)


def test_many_degrees_are_nearly_normal() -> None:
    assert chi_square_p(2401.0, 2401) == pytest.approx(0.4962, abs=1e-3)
    assert chi_square_p(2401 + 3 * math.sqrt(2 * 2401), 2401) == pytest.approx(0.0016, abs=3e-4)


def test_fair_orders_give_every_probability_equally_often() -> None:
    random = Random(1)
    found = [counted([fair(random) for _ in range(5 * N)]).whole().p for _ in range(200)]
    assert 0.4 < sum(found) / len(found) < 0.6
    assert 70 < sum(p < 0.5 for p in found) < 130


def test_a_naive_shuffle_is_found() -> None:
    # Each place is swapped with any other, not with one of those that are left: a known mistake.
    random = Random(2)
    orders = []
    for _ in range(100 * N):
        order = [*range(1, N + 1)]
        for i in range(N):
            j = random.randrange(N)
            order[i], order[j] = order[j], order[i]
        orders.append(order)
    assert counted(orders).whole().p < 1e-6


def test_one_position_that_is_biased_is_found() -> None:
    random = Random(3)
    orders = [min((fair(random), fair(random)), key=lambda order: order[4]) for _ in range(10 * N)]
    counts = counted(orders)
    assert counts.of_position(4).p < 1e-6
    assert counts.of_position(5).p > 1e-6


def test_few_orders_are_not_enough() -> None:
    random = Random(4)
    assert not counted([fair(random) for _ in range(5 * N - 1)]).enough
    assert counted([fair(random) for _ in range(5 * N)]).enough
    assert OrderCounts(N).whole().p == 1
