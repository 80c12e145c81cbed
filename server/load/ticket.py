"""A player's ticket, with the called numbers marked."""

import random
from collections.abc import Iterable, Mapping
from typing import Final

_random: Final = random.SystemRandom()


class Ticket:
    """Numbers from 1 to `highest` at random places of a grid of that side."""

    __slots__ = ("_bits", "_marked", "_patterns", "_side", "numbers")

    def __init__(self, side: int, highest: int) -> None:
        self._side = side
        self._patterns: tuple[int, ...] = ()
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
        """Whether all numbers of a pattern were called."""
        return any(self._marked & pattern == pattern for pattern in self._patterns)

    def wins_by(self, patterns: Mapping[str, Iterable[tuple[int, int]]]) -> None:
        """Take what wins from what the lobby says of itself: cells, (row, column), by name."""
        self._patterns = tuple(  # a bit for each cell, row by row
            sum(1 << row * self._side + column for row, column in cells)
            for cells in patterns.values()
        )

    def mark(self, number: int) -> bool:
        """Note that a number was called; whether it is on the ticket."""
        bit = self._bits.get(number, 0)
        self._marked |= bit
        return bit > 0
