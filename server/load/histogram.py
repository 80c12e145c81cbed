"""Latencies by the thousand: counted in buckets, so that they can be added up and sent around."""

import math
from collections import Counter

# A bucket reaches 1 % further than the one before, and that is all a percentile can be off.
# Only buckets that hold something exist: a second of one process is a few hundred bytes.
_PER_RATIO = 1 / math.log(1.01)
_LEAST_MS = 0.001


class Histogram:
    """Counts values in ms, from a microsecond up."""

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        self.max_ms = 0.0

    def record(self, value_ms: float) -> None:
        """Count a value; one that is less than a microsecond, or negative, as a microsecond."""
        self._buckets[math.ceil(math.log(max(value_ms, _LEAST_MS)) * _PER_RATIO)] += 1
        self.max_ms = max(self.max_ms, value_ms)

    def add(self, other: "Histogram") -> None:
        """Count what the other one counted."""
        self._buckets.update(other._buckets)
        self.max_ms = max(self.max_ms, other.max_ms)

    def percentile_ms(self, percent: float) -> float | None:
        """The least value that at least `percent` of all values do not exceed, at most 1 % too
        high; None when there are no values."""
        wanted = self._buckets.total() * percent / 100
        seen = 0
        for bucket, count in sorted(self._buckets.items()):
            seen += count
            if seen >= wanted:
                return min(math.exp(bucket / _PER_RATIO), self.max_ms)
        return None
