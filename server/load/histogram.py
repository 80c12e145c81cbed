"""A histogram of latencies, which can be added to another one's and sent to another process."""

import math
from collections import Counter

# The upper bound of a bucket is 1 % above that of the one before, and so a percentile is too high
# by at most 1 %. Empty buckets are not kept: a second of one process is a few hundred bytes.
_BUCKETS_PER_E_FOLD = 1 / math.log(1.01)
_LEAST_MS = 0.001


class Histogram:
    """Counts values in ms, from a microsecond up. `max_ms` is the greatest one as it was given; 0
    when there are none, or only negative ones."""

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        self.max_ms = 0.0

    def record(self, value_ms: float) -> None:
        """Count a value; one that is less than a microsecond, or negative, as a microsecond."""
        self._buckets[math.ceil(math.log(max(value_ms, _LEAST_MS)) * _BUCKETS_PER_E_FOLD)] += 1
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
                return min(math.exp(bucket / _BUCKETS_PER_E_FOLD), self.max_ms)
        return None
