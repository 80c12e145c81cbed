"""What becomes of players who all lose their connections at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

MOST_SECONDS: Final = 10
MOST_LATE_MS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Storm:
    """In how many seconds all were back in their rooms, at most (None: they never were); meanwhile,
    how late the latest call was, and how late those who were back heard one (None: there was none);
    and how many events somebody missed."""

    back_seconds: float | None
    called_late_ms: float | None
    heard_late_ms: float | None
    missed: int

    @classmethod
    def of(cls, report: Mapping[str, Any], gone_at: float, players: int) -> Self:
        """By the report of a load tool whose players were cut off so many seconds after its start,
        when all of them were there."""
        after = report["series"][int(gone_at) :]
        connected = (number for number, second in enumerate(after, 1) if _all(second, players))
        seconds = next(connected, None)
        meanwhile = after[: None if seconds is None else seconds + 1]
        # Who is connected is not in the room yet: whoever took longest may have come last.
        entered_ms = _most_ms(meanwhile, "enter") or 0
        return cls(
            None if seconds is None else round(seconds + entered_ms / 1000, 1),
            _most_ms(meanwhile, "jitter"),
            _most_ms(meanwhile, "late"),
            report["figures"]["missed"],
        )

    @property
    def was_held(self) -> bool:
        """Whether it did not hurt anybody more than it may."""
        return (
            self.back_seconds is not None
            and self.back_seconds <= MOST_SECONDS
            and _is_in_time(self.called_late_ms)
            and _is_in_time(self.heard_late_ms)
            and self.missed == 0
        )

    def __str__(self) -> str:
        back = "not all" if self.back_seconds is None else f"all within {self.back_seconds} s"
        return (
            f"all cut off at once, {'held' if self.was_held else 'NOT HELD'}:"
            f" joined again {back} (at most {MOST_SECONDS});"
            f" calls late by {self.called_late_ms} ms at most,"
            f" heard {self.heard_late_ms} ms late at most ({MOST_LATE_MS});"
            f" {self.missed} events missed (0)"
        )


def _all(second: Mapping[str, Any], players: int) -> bool:
    return bool(second["sockets"] >= players)


def _is_in_time(late_ms: float | None) -> bool:
    return late_ms is not None and late_ms <= MOST_LATE_MS


def _most_ms(seconds: Sequence[Mapping[str, Any]], name: str) -> float | None:
    found = [second[f"{name}_max_ms"] for second in seconds if f"{name}_max_ms" in second]
    return max(found, default=None)
