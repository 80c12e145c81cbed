"""The figures of a run, by name: percentiles of its latencies, its counts and its rates."""

from collections.abc import Sequence
from typing import Final

from server.load.stats import COUNTS, LATENCIES, IntervalStats

PERCENTILES: Final = {"p50": 50.0, "p95": 95.0, "p99": 99.0, "p999": 99.9}

RunFigures = dict[str, float | None]


def figures(seconds: Sequence[IntervalStats]) -> RunFigures:
    """The figures of some seconds; None for those of a latency that was not measured.

    For each latency `<name>_p50_ms` to `_p999_ms` and `_max_ms`; each count by its name; `errors`;
    and `sockets` (the most at once), `seconds`, `events_per_second`, `cpu_seconds` (of this tool)
    and `cpu_percent` (of one core). Those in ms are rounded to 1 us, the last three to 0.01.
    """
    whole = total(seconds)
    length_seconds = len(seconds)
    rates = {
        "events_per_second": whole.counts["events"] / max(length_seconds, 1),
        "cpu_seconds": whole.cpu_seconds,
        "cpu_percent": 100 * whole.cpu_seconds / max(length_seconds, 1),
    }
    return {
        **latency_figures(whole),
        **{name: whole.counts[name] for name in COUNTS},
        "errors": whole.errors.total(),
        "sockets": max((second.sockets for second in seconds), default=0),
        "seconds": length_seconds,
        **{name: round(rate, 2) for name, rate in rates.items()},
    }


def figure_names() -> list[str]:
    """All names that `figures` gives."""
    return list(figures([]))


def total(seconds: Sequence[IntervalStats]) -> IntervalStats:
    """The sum of all seconds."""
    whole = IntervalStats()
    for second in seconds:
        whole.add(second)
    return whole


def latency_figures(stats: IntervalStats) -> RunFigures:
    """The percentiles and the maximum of every latency in ms, as in `figures`."""
    found: RunFigures = {}
    for name in LATENCIES:
        histogram = stats.latencies[name]
        for label, percent in PERCENTILES.items():
            found[f"{name}_{label}_ms"] = _rounded(histogram.percentile_ms(percent))
        is_empty = histogram.percentile_ms(100) is None
        found[f"{name}_max_ms"] = None if is_empty else _rounded(histogram.max_ms)
    return found


def _rounded(value_ms: float | None) -> float | None:
    return None if value_ms is None else round(value_ms, 3)
