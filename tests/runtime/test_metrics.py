import pytest
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import Metric

from server.runtime.metrics import Metrics

BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


def samples(metric: Metric) -> list[tuple[str, dict[str, str], float]]:
    return [(s.name, s.labels, s.value) for s in metric.samples if "_created" not in s.name]


@pytest.mark.parametrize(
    "observed", [[], [0.0], [0.001], [0.0011, 3, 3.5], [10, 10.1, 1e9], [*BOUNDS]]
)
def test_latencies_are_counted_as_a_histogram_of_prometheus_counts_them(
    observed: list[float],
) -> None:
    metrics = Metrics()
    name = "fair_bingo_store_round_trip_seconds"
    theirs = Histogram(name, "", buckets=BOUNDS, registry=CollectorRegistry())
    for seconds in observed:
        metrics.store_round_trip.observe(seconds)
        theirs.observe(seconds)
    (ours,), (expected,) = metrics.store_round_trip.collect(), theirs.collect()
    assert (ours.name, ours.type) == (expected.name, expected.type)
    assert samples(ours) == samples(expected)
