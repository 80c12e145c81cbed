"""How much a client may ask for, and how that is counted."""

import ipaddress
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

CLOSE_SECONDS: Final = 2.0
"""How long a peer may take to answer our close frame before its connection is cut."""
PING_INTERVAL_SECONDS: Final = 4.75
"""Each ping must be answered before the next one is due. So a peer that falls silent is noticed
after twice the interval and a last look: under 10 s."""
REFUSALS_WINDOW_SECONDS: Final = 60.0
"""Connects that were refused longer ago than this are not held against a connection."""

FLOOD_REFUSALS: Final = 100
FLOOD_WINDOW_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket: `per_second` tokens come in, at most `burst` are kept. 0 a second is no
    limit at all.

    The state of one bucket is a single number, so thousands of them cost next to nothing: the
    instant in seconds at which it will be full again (the generic cell rate algorithm).
    """

    per_second: float
    burst: float

    def take(self, full_at_s: float, now_s: float) -> float | None:
        """The new state after one token is taken at `now_s`, or None if there is none to take."""
        if self.per_second == 0:
            return now_s
        full_at_s = max(full_at_s, now_s) + 1 / self.per_second
        # A thousandth of a token makes up for the rounding of the sums.
        return full_at_s if (full_at_s - now_s) * self.per_second <= self.burst + 1e-3 else None


class RateByKey:
    """One bucket for each key, an address or a player. Keys whose bucket is full again are
    forgotten, so the table grows with the recent ones only."""

    def __init__(self, rate: Rate, now_s: Callable[[], float]) -> None:
        self._rate = rate
        self._now_s = now_s
        self._full_at_s: dict[str, float] = {}  # the longest untouched come first

    def __len__(self) -> int:
        return len(self._full_at_s)

    def allow(self, key: str) -> bool:
        """Whether `key` may do it once more now."""
        now_s = self._now_s()
        self._forget_idle(now_s)
        full_at_s = self._rate.take(self._full_at_s.get(key, now_s), now_s)
        if full_at_s is None:
            return False
        self._full_at_s.pop(key, None)  # so that it comes last
        self._full_at_s[key] = full_at_s
        return True

    def would_allow(self, key: str) -> bool:
        """What `allow` would say now, without counting."""
        now_s = self._now_s()
        return self._rate.take(self._full_at_s.get(key, now_s), now_s) is not None

    def _forget_idle(self, now_s: float) -> None:
        # Two for every one that comes in, so the table shrinks while it is in use.
        for _ in range(2):
            oldest = next(iter(self._full_at_s), None)
            if oldest is None or self._full_at_s[oldest] > now_s:
                return
            del self._full_at_s[oldest]


class Credits:
    """The messages of one connection. A client that keeps sending what is refused is a flood.
    `spent`: there was nothing left for the last message."""

    __slots__ = ("_full_at_s", "_rate", "_refused_at_s", "spent")

    def __init__(self, rate: Rate) -> None:
        self.spent = False
        self._rate = rate
        self._full_at_s = 0.0
        self._refused_at_s: deque[float] | None = None  # only for those who were ever refused

    def take(self, now_s: float) -> bool:
        """Whether one more message is within the limit at `now_s`."""
        full_at_s = self._rate.take(self._full_at_s, now_s)
        self.spent = full_at_s is None
        if full_at_s is None:
            self._remember_refusal(now_s)
            return False
        self._full_at_s = full_at_s
        return True

    def is_flood(self, now_s: float) -> bool:
        """Whether FLOOD_REFUSALS messages were refused within FLOOD_WINDOW_SECONDS."""
        refused_at_s = self._refused_at_s
        return (
            refused_at_s is not None
            and len(refused_at_s) == FLOOD_REFUSALS
            and now_s - refused_at_s[0] <= FLOOD_WINDOW_SECONDS
        )

    def _remember_refusal(self, now_s: float) -> None:
        if self._refused_at_s is None:
            self._refused_at_s = deque(maxlen=FLOOD_REFUSALS)
        self._refused_at_s.append(now_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketLimits:
    """What the operator may set, but for the last three. `allowed_origins` None: only the server's
    own; the addresses in `trusted_proxies` are believed when they say for whom they ask. 0 sockets,
    of all or of one player, are no limit."""

    messages: Rate = Rate(10, 20)
    connects_by_address: Rate = Rate(200, 400)
    max_sockets: int = 20_000
    sockets_per_player: int = 8
    client_buffer_bytes: int = 262_144
    connect_timeout_seconds: float = 10.0
    allowed_origins: frozenset[str] | None = None
    trusted_proxies: tuple[Network, ...] = ()
    close_seconds: float = CLOSE_SECONDS
    refusals_window_seconds: float = REFUSALS_WINDOW_SECONDS
    ping_interval_seconds: float = PING_INTERVAL_SECONDS
