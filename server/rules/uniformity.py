"""Whether orders look drawn at random: how often each number came at each position, and how likely
so uneven a count would be if every order were equally likely.

In N orders of 1..n that are equally likely each number is expected N/n times at each position. The
counts of a row and of a column both add up to N, so Pearson's sum over all cells, times (n-1)/n,
has for large N the chi-square distribution of (n-1)^2 degrees of freedom: their covariance is
N/(n-1) times a projection of that rank.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

ENOUGH: Final = 5
"""How often each number is to be expected at each position for the distribution to be that one."""
_TERMS: Final = 100_000
_PRECISE: Final = 1e-12


@dataclass(frozen=True, slots=True)
class ChiSquare:
    """Pearson's statistic, its degrees of freedom, and the probability of so large a one."""

    statistic: float
    degrees: int
    p: float


class OrderCounts:
    """How often each number of 1..highest came at each position."""

    def __init__(self, highest: int) -> None:
        self.highest = highest
        self.orders = 0
        self.counts = [[0] * highest for _ in range(highest)]

    def add(self, order: Sequence[int]) -> None:
        """Count one order of all numbers."""
        self.orders += 1
        for position, number in enumerate(order):
            self.counts[position][number - 1] += 1

    @property
    def enough(self) -> bool:
        """Whether there are so many orders that the probabilities are to be relied on."""
        return self.orders >= ENOUGH * self.highest

    def whole(self) -> ChiSquare:
        """All positions together."""
        n = self.highest
        statistic = sum(map(self._pearson, self.counts)) * (n - 1) / n
        degrees = (n - 1) ** 2
        return ChiSquare(statistic, degrees, chi_square_p(statistic, degrees))

    def of_position(self, index: int) -> ChiSquare:
        """One position, counted from 0."""
        statistic, degrees = self._pearson(self.counts[index]), self.highest - 1
        return ChiSquare(statistic, degrees, chi_square_p(statistic, degrees))

    def _pearson(self, row: Sequence[int]) -> float:
        expected = self.orders / self.highest
        return sum((count - expected) ** 2 for count in row) / expected if expected else 0.0


def chi_square_p(statistic: float, degrees: int) -> float:
    """The probability that a chi-square variable is at least so large: Q(degrees/2, statistic/2),
    the regularised upper incomplete gamma function. By its power series (DLMF 8.11.4, through
    8.2.5) below a + 1, and by its continued fraction (DLMF 8.9.2, evaluated after Lentz) above."""
    a, x = degrees / 2, statistic / 2
    if x <= 0:
        return 1.0
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        return min(1.0, max(0.0, 1.0 - front * _series(a, x)))
    return min(1.0, front * _fraction(a, x))


def _series(a: float, x: float) -> float:
    term = total = 1 / a
    for k in range(1, _TERMS):
        term *= x / (a + k)
        total += term
        if term < total * _PRECISE:
            break
    return total


def _fraction(a: float, x: float) -> float:
    tiny = 1e-300
    b = x + 1 - a
    c, d = 1 / tiny, 1 / b
    fraction = d
    for k in range(1, _TERMS):
        numerator = k * (a - k)
        b += 2
        d = 1 / (numerator * d + b or tiny)
        c = b + numerator / c or tiny
        fraction *= c * d
        if abs(c * d - 1) < _PRECISE:
            break
    return fraction
