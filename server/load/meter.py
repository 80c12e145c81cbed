"""Collects what the participants of one process measure."""

import time

from server.load.stats import CountName, IntervalStats, LatencyName


class Meter:
    """Collects measurements from one `take` to the next.

    `clock_offset_ms` is how far the clock of the server's store is ahead of this machine's;
    `sockets` is how many are open, as whoever opens and closes them counts.
    """

    def __init__(self, clock_offset_ms: float = 0) -> None:
        self.sockets = 0
        self._clock_offset_ms = clock_offset_ms
        self._stats = IntervalStats()
        self._cpu_seconds = time.process_time()

    def now_ms(self) -> float:
        """Unix time in ms by the clock of the server's store, with microseconds as its fraction."""
        return time.time() * 1000 + self._clock_offset_ms

    def latency(self, name: LatencyName, value_ms: float) -> None:
        """Record a latency."""
        self._stats.latencies[name].record(value_ms)

    def since(self, name: LatencyName, start_s: float) -> None:
        """Record a latency that began at `start_s` of the monotonic clock and ends now."""
        self.latency(name, (time.monotonic() - start_s) * 1000)

    def count(self, name: CountName, times: int = 1) -> None:
        """Count something that happened, `times` times."""
        self._stats.counts[name] += times

    def error(self, code: str) -> None:
        """Count an error: the code of a refusal, or the name of what went wrong."""
        self._stats.errors[code] += 1

    def take(self) -> IntervalStats:
        """What was collected since the last call, or since the beginning."""
        taken, self._stats = self._stats, IntervalStats()
        cpu_seconds = time.process_time()
        taken.cpu_seconds = cpu_seconds - self._cpu_seconds
        self._cpu_seconds = cpu_seconds
        taken.sockets = self.sockets
        return taken
