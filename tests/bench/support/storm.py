"""A reconnect storm: all players lose their connections at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

MOST_SECONDS: Final = 10
MOST_LATE_MS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Storm:
    """Within how many seconds all were back in their rooms (None: they never were); meanwhile, how
    late the latest call was made, and how late it was received by those who were back (None: no
    call was); and how many events somebody missed."""

    back_seconds: float | None
    called_late_ms: float | None
    received_late_ms: float | None
    missed: int

    @classmethod
    def of(cls, report: Mapping[str, Any], disconnected_at_s: float, players: int) -> Self:
        """By the report of a load tool, whose players were all disconnected so many seconds after
        its start."""
        after = report["series"][int(disconnected_at_s) :]
        complete = (n for n, second in enumerate(after, 1) if second["sockets"] >= players)
        seconds = next(complete, None)
        meanwhile = after[: None if seconds is None else seconds + 1]
        # Who is connected has yet to enter the room: the slowest may have connected last.
        entered_ms = _max_ms(meanwhile, "enter") or 0
        return cls(
            None if seconds is None else round(seconds + entered_ms / 1000, 1),
            _max_ms(meanwhile, "jitter"),
            _max_ms(meanwhile, "late"),
            report["figures"]["missed"],
        )

    @property
    def was_held(self) -> bool:
        """Whether all were back in time, no call was late by more than it may, none was missed."""
        return (
            self.back_seconds is not None
            and self.back_seconds <= MOST_SECONDS
            and _is_in_time(self.called_late_ms)
            and _is_in_time(self.received_late_ms)
            and self.missed == 0
        )

    def __str__(self) -> str:
        back = "not all" if self.back_seconds is None else f"all within {self.back_seconds} s"
        return (
            f"all disconnected at once, {'held' if self.was_held else 'NOT HELD'}:"
            f" joined again {back} (at most {MOST_SECONDS});"
            f" calls late by {self.called_late_ms} ms at most,"
            f" received {self.received_late_ms} ms late at most ({MOST_LATE_MS});"
            f" {self.missed} events missed (0)"
        )


def _is_in_time(late_ms: float | None) -> bool:
    return late_ms is not None and late_ms <= MOST_LATE_MS


def _max_ms(seconds: Sequence[Mapping[str, Any]], name: str) -> float | None:
    found = [second[f"{name}_max_ms"] for second in seconds if f"{name}_max_ms" in second]
    return max(found, default=None)
