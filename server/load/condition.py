"""Conditions on the figures of a run, such as `push_p99_ms>100`."""

import operator
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, Self

from server.load.figures import RunFigures

_OPERATORS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_CONDITION: Final = re.compile(r"\s*(\w+)\s*(<=|>=|<|>)\s*([0-9]+(?:\.[0-9]+)?)\s*")


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison of a figure with a limit, which is in the figure's unit."""

    figure: str
    comparison: str
    limit: float

    @classmethod
    def parse(cls, text: str, known: Collection[str]) -> Self:
        """The condition in `text`, on one of the `known` figures. Raises ValueError with a text
        for the user."""
        match = _CONDITION.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not like push_p99_ms>100")
        if match[1] not in known:
            raise ValueError(f"there is no figure {match[1]!r}; there are {', '.join(known)}")
        return cls(match[1], match[2], float(match[3]))

    def __str__(self) -> str:
        return f"{self.figure}{self.comparison}{self.limit:g}"

    def holds(self, figures: RunFigures) -> bool:
        """Whether it is true of the figures. It is true of a figure that is None: what was not
        measured cannot be said to have kept a limit."""
        value = figures[self.figure]
        return value is None or _OPERATORS[self.comparison](value, self.limit)
