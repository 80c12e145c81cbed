"""Variants: what a game is played with, and for how long. A lobby keeps the one it opened with."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType


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


@dataclass(frozen=True, slots=True)
class Shape:
    """What a variant is played on: the side of the grid, and the highest number."""

    side: int
    highest: int


SHAPES: Mapping[str, Shape] = MappingProxyType({"classic": Shape(3, 50), "grand": Shape(5, 75)})
"""The shapes of the variants by name. The rest of a variant is settings."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Cells, as (row, column), that win when all their numbers are called."""

    name: str
    cells: tuple[tuple[int, int], ...]


@cache
def patterns(side: int) -> tuple[Pattern, ...]:
    """The winning patterns of a grid in the order in which they are judged: rows, columns, the
    diagonal from top left to bottom right, the other one."""
    span = range(side)
    rows = [Pattern(f"row_{r}", tuple((r, c) for c in span)) for r in span]
    columns = [Pattern(f"col_{c}", tuple((r, c) for r in span)) for c in span]
    falling = Pattern("diag_lr", tuple((i, i) for i in span))
    rising = Pattern("diag_rl", tuple((i, side - 1 - i) for i in span))
    return (*rows, *columns, falling, rising)
