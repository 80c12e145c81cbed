"""Variants: what a game is played with, and for how long. A lobby keeps the one it opened with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

Patterns = Mapping[str, Sequence[tuple[int, int]]]
"""What wins, by name and in the order in which it is named: cells, (row, column), whose numbers are
all called."""


@cache
def lines(side: int) -> Patterns:
    """Rows, columns, the diagonal from top left to bottom right, the other one."""
    span = range(side)
    return MappingProxyType(
        {f"row_{r}": tuple((r, c) for c in span) for r in span}
        | {f"col_{c}": tuple((r, c) for r in span) for c in span}
        | {"diag_lr": tuple((i, i) for i in span)}
        | {"diag_rl": tuple((i, side - 1 - i) for i in span)}
    )


@dataclass(frozen=True, slots=True)
class Shape:
    """What a variant is played on, and what wins there: the side of the grid, the highest number
    called, the patterns."""

    side: int
    highest: int
    patterns: Patterns


SHAPES: Final = {"classic": Shape(3, 50, lines(3)), "grand": Shape(5, 75, lines(5))}
"""The variants by name: one more entry is one more variant. Of the rest the operator has a say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """The rules of one kind of game, as a value. Durations are milliseconds.

    `side` is the grid's, `highest` the highest number called (they start at 1).
    """

    name: str
    side: int
    highest: int
    min_players: int
    max_players: int
    seat_ms: int
    formation_ms: int
    lobby_ttl_ms: int
    arranging_ms: int
    call_interval_ms: int

    def plays_like(self, other: "Variant") -> bool:
        """Whether the game is the same, in whatever time."""
        return (
            (self.name, self.side, self.highest) == (other.name, other.side, other.highest)
            and self.min_players == other.min_players
            and self.max_players == other.max_players
        )

    @property
    def ticket_size(self) -> int:
        """How many numbers a ticket holds."""
        return self.side * self.side

    @property
    def patterns(self) -> Patterns:
        """What wins. It is the name's alone, so a lobby that is stored does not repeat it; of a
        variant that is not known by its name and side it is the lines."""
        shape = SHAPES.get(self.name)
        return lines(self.side) if shape is None or shape.side != self.side else shape.patterns
