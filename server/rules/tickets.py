"""Tickets: choosing numbers, arranging them, and whether a pattern of theirs is complete."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from protocol.errors import ErrorCode, Refused
from server.rules.draw import Grid
from server.rules.variants import Patterns, Variant


@dataclass(frozen=True, slots=True)
class Complete:
    """The first complete pattern of a grid."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Incomplete:
    """What is not called of the pattern nearest to complete, the first such."""

    missing_numbers: tuple[int, ...]


def check_numbers(numbers: Sequence[int], variant: Variant) -> Refused | None:
    """Refuses anything but the right count of different numbers in range."""
    if _is_ticket(numbers, variant):
        return None
    return Refused(
        ErrorCode.INVALID_NUMBERS, {"count": variant.ticket_size, "highest": variant.highest}
    )


def check_grid(
    grid: Sequence[Sequence[int]], chosen: Collection[int] | None, variant: Variant
) -> Refused | None:
    """Refuses a grid of another shape, one that is no ticket, and one of other numbers than the
    chosen ones."""
    cells = [number for row in grid for number in row]
    square = len(grid) == variant.side and all(len(row) == variant.side for row in grid)
    if not square or not _is_ticket(cells, variant):
        return Refused(ErrorCode.INVALID_GRID, {"side": variant.side, "highest": variant.highest})
    if chosen is not None and set(chosen) != set(cells):
        return Refused(ErrorCode.NOT_YOUR_NUMBERS)
    return None


def judge(grid: Grid, called: Collection[int], patterns: Patterns) -> Complete | Incomplete:
    """Whether one of the patterns of the grid is complete with the numbers called."""
    missing: dict[str, tuple[int, ...]] = {}
    for name, cells in patterns.items():
        left = tuple(grid[r][c] for r, c in cells if grid[r][c] not in called)
        if not left:
            return Complete(name)
        missing[name] = left
    return Incomplete(min(missing.values(), key=len))


def _is_ticket(numbers: Sequence[int], variant: Variant) -> bool:
    return len(numbers) == len(set(numbers)) == variant.ticket_size and all(
        1 <= number <= variant.highest for number in numbers
    )
