"""What is measured: the names of latencies and counts with their meanings, and their values."""

from collections import Counter, defaultdict
from typing import Final, Literal

from server.load.histogram import Histogram

CommandName = Literal["join", "select_numbers", "arrange_grid", "claim", "leave"]
LatencyName = (
    Literal["push", "late", "jitter", "connect", "enter", "pay", "token", "tool_lag"] | CommandName
)
CountName = Literal[
    "events", "connections", "games", "wins", "late_claims", "missed", "duplicates", "misrouted"
]

# Latencies are in ms.
LATENCIES: Final[dict[LatencyName, str]] = {
    "push": "room event, from its `at` to its receipt",
    "late": "number_called, from the instant it was due, start + index x interval, to its receipt",
    "jitter": "number_called, how far its `at` is from start + index x interval",
    "connect": "TCP, WebSocket and Engine.IO handshakes",
    "enter": "joining a namespace",
    "join": "join, to its acknowledgement",
    "pay": "payment, to the answer of the webhook or of the development provider",
    "select_numbers": "select_numbers, to its acknowledgement",
    "arrange_grid": "arrange_grid, to its acknowledgement",
    "claim": "claim, to its acknowledgement",
    "leave": "leave, to its acknowledgement",
    "token": "getting a token",
    "tool_lag": "how late this tool itself was: what it adds to the others at most",
}
COUNTS: Final[dict[CountName, str]] = {
    "events": "room events received",
    "connections": "connections that were made",
    "games": "games that a player saw to their end",
    "wins": "valid claims",
    "late_claims": "claims that came after another player's",
    "missed": "room events that were not received, by their seq",
    "duplicates": "room events that were received twice",
    "misrouted": "events of a lobby that the socket had not joined",
}


class IntervalStats:
    """What was measured in an interval, by one process or by several.

    `errors` counts the codes of refusals, and what went wrong without one. `sockets` is how many
    were open at the interval's end.
    """

    def __init__(self) -> None:
        self.latencies: defaultdict[LatencyName, Histogram] = defaultdict(Histogram)
        self.counts: Counter[CountName] = Counter()
        self.errors: Counter[str] = Counter()
        self.sockets = 0
        self.cpu_seconds = 0.0

    def add(self, other: "IntervalStats") -> None:
        """Add what another process measured, or this one in another interval. Of two intervals the
        sum of `sockets` means nothing."""
        for name, histogram in other.latencies.items():
            self.latencies[name].add(histogram)
        self.counts.update(other.counts)
        self.errors.update(other.errors)
        self.sockets += other.sockets
        self.cpu_seconds += other.cpu_seconds
