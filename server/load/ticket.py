"""A player's ticket, with the called numbers marked."""

import random
from collections.abc import Sequence
from functools import cache
from typing import Final

SIDE: Final = 3
HIGHEST: Final = 50
_random: Final = random.SystemRandom()


@cache
def _patterns(side: int) -> Sequence[int]:
    """The patterns that win: one bit for each cell, row by row."""
    rows = [[row * side + column for column in range(side)] for row in range(side)]
    columns = [list(column) for column in zip(*rows, strict=True)]
    diagonals = [
        [row[i] for i, row in enumerate(rows)],
        [row[-1 - i] for i, row in enumerate(rows)],
    ]
    return [sum(1 << cell for cell in cells) for cells in rows + columns + diagonals]


class Ticket:
    """Numbers from 1 to `highest` at random places of a grid of that side."""

    __slots__ = ("_bits", "_marked", "_patterns", "_side", "numbers")

    def __init__(self, side: int = SIDE, highest: int = HIGHEST) -> None:
        self._side = side
        self._patterns = _patterns(side)
        self.numbers = _random.sample(range(1, highest + 1), side * side)
        self._bits = {number: 1 << cell for cell, number in enumerate(self.numbers)}
        self._marked = 0

    @property
    def grid(self) -> list[list[int]]:
        """The numbers as rows."""
        side = self._side
        return [self.numbers[row * side : (row + 1) * side] for row in range(side)]

    @property
    def is_complete(self) -> bool:
        """Whether all numbers of a row, a column or a diagonal were called."""
        return any(self._marked & pattern == pattern for pattern in self._patterns)

    def mark(self, number: int) -> bool:
        """Note that a number was called; whether it is on the ticket."""
        bit = self._bits.get(number, 0)
        self._marked |= bit
        return bit > 0
