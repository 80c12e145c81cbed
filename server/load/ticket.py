"""A ticket of the classic game, as a player keeps it."""

import random
from typing import Final

SIDE: Final = 3
HIGHEST: Final = 50

_ROWS: Final = [[row * SIDE + column for column in range(SIDE)] for row in range(SIDE)]
_COLUMNS: Final = [list(column) for column in zip(*_ROWS, strict=True)]
_DIAGONALS: Final = [
    [line[i] for i, line in enumerate(_ROWS)],
    [line[-1 - i] for i, line in enumerate(_ROWS)],
]
# One bit for each cell, row by row.
_PATTERNS: Final = [sum(1 << cell for cell in line) for line in _ROWS + _COLUMNS + _DIAGONALS]
_chance: Final = random.SystemRandom()


class Ticket:
    """Nine numbers at random places of a grid."""

    __slots__ = ("_bits", "_marked", "numbers")

    def __init__(self) -> None:
        self.numbers = _chance.sample(range(1, HIGHEST + 1), SIDE * SIDE)
        self._bits = {number: 1 << cell for cell, number in enumerate(self.numbers)}
        self._marked = 0

    @property
    def grid(self) -> list[list[int]]:
        """The numbers as rows."""
        return [self.numbers[row * SIDE : (row + 1) * SIDE] for row in range(SIDE)]

    @property
    def is_complete(self) -> bool:
        """Whether all numbers of a row, a column or a diagonal were called."""
        return any(self._marked & pattern == pattern for pattern in _PATTERNS)

    def mark(self, number: int) -> bool:
        """Note that a number was called; whether it is on the ticket."""
        bit = self._bits.get(number, 0)
        self._marked |= bit
        return bit > 0
