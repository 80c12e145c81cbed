"""The catalogue of metrics: every one that `/metrics` has, named after Prometheus's conventions.

No label takes values from outside: tiers, states, codes and reasons are closed sets.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from server.runtime.reports import Across, Report, report_of

_LATENCY_SECONDS: Final = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)

Values = Mapping[tuple[str, ...], float]
"""What a metric is now, by the values of its labels."""


class Metrics:
    """The metrics of one process. Parts of the server count in them; what others count already
    is read when it is asked for: see `watch`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._across: dict[str, Across] = {}

        self.store_round_trip = self._histogram(
            "fair_bingo_store_round_trip_seconds",
            "From sending a batch of commands to its answers.",
        )
        self.commits = self._counter(
            "fair_bingo_commits",
            "Commits by outcome; a conflict or stale one is decided anew.",
            "outcome",
        )
        self.unpublished = self._counter(
            "fair_bingo_messages_unpublished",
            "Messages of commits that the store's user may not publish; nodes find out later.",
        )
        self.waits_unmet = self._counter(
            "fair_bingo_store_waits_unmet",
            "Times that too few replicas confirmed in time: not known, and `unavailable`.",
        )
        self.failovers = self._counter(
            "fair_bingo_store_failovers",
            "Times that another process was found to be the primary, or the same one restarted.",
        )
        self.call_jitter = self._histogram(
            "fair_bingo_call_jitter_seconds", "From the instant a number was due to its commit."
        )
        self.beacon_delay = self._histogram(
            "fair_bingo_beacon_delay_seconds",
            "From the time of a beacon's round to its commit into a game.",
        )
        self.beacon_missed = self._counter(
            "fair_bingo_beacon_missed", "Games voided while they waited for their beacon."
        )
        self.push_latency = self._histogram(
            "fair_bingo_push_latency_seconds",
            "From the commit of an event to its write to the room.",
        )
        self.events_pushed = self._counter(
            "fair_bingo_events_pushed", "Events pushed to rooms of this node.", "event"
        )
        self.gaps_filled = self._counter(
            "fair_bingo_relay_gaps_filled", "Times that missed events were read from a lobby's log."
        )
        self.indexes_corrected = self._counter(
            "fair_bingo_indexes_corrected",
            "Times that an index contradicted a lobby and was corrected.",
            "index",
        )
        self.worker_deaths = self._counter(
            "fair_bingo_worker_deaths",
            "Workers that ended without being stopped, by cause.",
            "cause",
        )
        self.payment_deliveries = self._counter(
            "fair_bingo_payment_deliveries", "Deliveries of the payment provider.", "outcome"
        )

    def watch(
        self,
        name: str,
        text: str,
        labels: tuple[str, ...],
        read: Callable[[], Values],
        across: Across = "sum",
    ) -> None:
        """Publish what `read` returns at the moment: a counter if the name ends in `_total`, else a
        gauge. `across`: what it is over several processes."""
        self.registry.register(_Watched(name, text, labels, read))
        self._across[name] = across

    def samples(self) -> dict[str, float]:
        """Every sample by its name and labels, written as in the Prometheus text."""
        return {
            _written(sample.name, sample.labels): sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if not sample.name.endswith("_created")
        }

    def report(self) -> Report:
        """Everything as it is now, to be added to the reports of other processes."""
        return report_of(self.registry.collect(), self._across)

    def render(self) -> bytes:
        """The Prometheus text."""
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str) -> "Latencies":
        latencies = Latencies(name, text)
        self.registry.register(latencies)
        return latencies


def _written(name: str, labels: Mapping[str, str]) -> str:
    pairs = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return f"{name}{{{pairs}}}" if pairs else name


class _Watched(Collector):
    def __init__(
        self, name: str, text: str, labels: tuple[str, ...], read: Callable[[], Values]
    ) -> None:
        self._family = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
        self._about = (name, text)
        self._labels = labels
        self._read = read

    def collect(self) -> Iterable[Metric]:
        """The metric as it is now."""
        family = self._family(*self._about, labels=self._labels)
        for values, value in self._read().items():
            family.add_metric(values, float(value))
        yield family


class Latencies(Collector):
    """A histogram of seconds, for one thread. The library's takes two locks for each observation
    and looks through the buckets one by one, and each answer of the store is observed."""

    def __init__(self, name: str, text: str) -> None:
        self._about = (name, text)
        self._in_buckets = [0] * (len(_LATENCY_SECONDS) + 1)
        self._sum_seconds = 0.0

    def observe(self, seconds: float) -> None:
        """Count one more."""
        self._in_buckets[bisect_left(_LATENCY_SECONDS, seconds)] += 1
        self._sum_seconds += seconds

    def collect(self) -> Iterable[Metric]:
        """The metric as it is now."""
        bounds = map(floatToGoString, (*_LATENCY_SECONDS, float("inf")))
        buckets = list(zip(bounds, map(float, accumulate(self._in_buckets)), strict=True))
        yield HistogramMetricFamily(*self._about, buckets=buckets, sum_value=self._sum_seconds)
