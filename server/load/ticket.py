"""A player's ticket, with the called numbers marked."""

import random
from collections.abc import Iterable, Mapping
from typing import Final

_random: Final = random.SystemRandom()


class Ticket:
    """Random numbers from 1 to `highest` in a grid of `side` x `side`; `numbers` row by row."""

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
        """Whether all numbers of one of the patterns were called."""
        return any(self._marked & pattern == pattern for pattern in self._patterns)

    def set_patterns(self, patterns: Mapping[str, Iterable[tuple[int, int]]]) -> None:
        """Set the patterns that win, as the lobby's `patterns`: names with cells (row, column)."""
        self._patterns = tuple(  # a bit for each cell, row by row
            sum(1 << row * self._side + column for row, column in cells)
            for cells in patterns.values()
        )

    def mark(self, number: int) -> bool:
        """Mark a number that was called, if it is on the ticket; whether it is."""
        bit = self._bits.get(number, 0)
        self._marked |= bit
        return bit > 0
