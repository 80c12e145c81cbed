"""The two percentiles that tell of latencies here."""

from collections.abc import Sequence
from statistics import quantiles


def p50_p99(values: Sequence[float]) -> tuple[float, float]:
    """The median and the 99th percentile, interpolated between values and never beyond them.

    Raises StatisticsError for fewer than two values.
    """
    percentiles = quantiles(values, n=100, method="inclusive")
    return percentiles[49], percentiles[98]


def summary(name: str, unit: str, values_ms: Sequence[float]) -> str:
    """A line for people: how many of the `unit` there were, and the percentiles of their times."""
    p50_ms, p99_ms = p50_p99(values_ms)
    return f"{name}: {len(values_ms)} {unit}, p50 {p50_ms:.2f} ms, p99 {p99_ms:.2f} ms"
