"""Records what the participants of one process measure."""

import time

from server.load.stats import CountName, IntervalStats, LatencyName


class Meter:
    """Measures from one `take` to the next.

    `clock_offset_ms` is how far the server's store is ahead of this machine.
    """

    def __init__(self, clock_offset_ms: float = 0) -> None:
        self.sockets = 0
        self._clock_offset_ms = clock_offset_ms
        self._stats = IntervalStats()
        self._cpu_seconds = time.process_time()

    def now_ms(self) -> float:
        """Unix time in ms, by the server's clock."""
        return time.time() * 1000 + self._clock_offset_ms

    def latency(self, name: LatencyName, value_ms: float) -> None:
        """Something took so long."""
        self._stats.latencies[name].record(value_ms)

    def since(self, name: LatencyName, start_s: float) -> None:
        """Something began at `start_s` of the monotonic clock and is over."""
        self.latency(name, (time.monotonic() - start_s) * 1000)

    def count(self, name: CountName, times: int = 1) -> None:
        """Something happened."""
        self._stats.counts[name] += times

    def error(self, code: str) -> None:
        """Something was refused, or went wrong."""
        self._stats.errors[code] += 1

    def take(self) -> IntervalStats:
        """All since the last call."""
        taken, self._stats = self._stats, IntervalStats()
        cpu_seconds = time.process_time()
        taken.cpu_seconds = cpu_seconds - self._cpu_seconds
        self._cpu_seconds = cpu_seconds
        taken.sockets = self.sockets
        return taken
