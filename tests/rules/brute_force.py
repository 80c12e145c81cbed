"""What a grid wins, found the long way: by looking at where every number lies."""

from collections.abc import Collection, Sequence

Rows = Sequence[Sequence[int]]


def lines(grid: Rows) -> list[tuple[str, list[int]]]:
    """Every winning line by name, in the order in which they are named, with its numbers."""
    side = len(grid)
    names = [f"row_{i}" for i in range(side)] + [f"col_{i}" for i in range(side)]
    return [(name, _numbers(name, grid)) for name in [*names, "diag_lr", "diag_rl"]]


def first_complete(grid: Rows, called: Collection[int]) -> str | None:
    """The name of the first line of which every number is called."""
    return next((name for name, line in lines(grid) if set(line) <= set(called)), None)


def nearest_missing(grid: Rows, called: Collection[int]) -> list[int]:
    """What is not called of the line that needs the fewest; of the first such."""
    wanting = [[n for n in line if n not in set(called)] for _, line in lines(grid)]
    fewest = min(map(len, wanting))
    return next(missing for missing in wanting if len(missing) == fewest)


def _numbers(name: str, grid: Rows) -> list[int]:
    last = len(grid) - 1
    return [
        number
        for r, row in enumerate(grid)
        for c, number in enumerate(row)
        if name in (f"row_{r}", f"col_{c}")
        or (name == "diag_lr" and r == c)
        or (name == "diag_rl" and r + c == last)
    ]
