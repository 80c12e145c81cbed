"""Percentiles out of buckets."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.load.histogram import Histogram

LATENCIES_MS = st.lists(st.floats(0.001, 1e6), min_size=1, max_size=200)


def histogram_of(values_ms: list[float]) -> Histogram:
    histogram = Histogram()
    for value_ms in values_ms:
        histogram.record(value_ms)
    return histogram


@given(LATENCIES_MS, st.sampled_from([0.1, 50, 95, 99, 99.9, 100]))
def test_a_percentile_is_at_most_one_percent_too_high(
    values_ms: list[float], percent: float
) -> None:
    exact_ms = sorted(values_ms)[math.ceil(len(values_ms) * percent / 100) - 1]

    found_ms = histogram_of(values_ms).percentile_ms(percent)

    assert found_ms is not None
    assert exact_ms * (1 - 1e-9) <= found_ms <= exact_ms * 1.01 * (1 + 1e-9)


@given(LATENCIES_MS, LATENCIES_MS)
def test_added_up_they_are_as_if_one_had_counted_all(
    values_ms: list[float], others_ms: list[float]
) -> None:
    added = histogram_of(values_ms)
    added.add(histogram_of(others_ms))

    whole = histogram_of(values_ms + others_ms)
    assert added.percentile_ms(95) == whole.percentile_ms(95)
    assert added.max_ms == whole.max_ms


def test_without_values_there_is_no_percentile() -> None:
    assert Histogram().percentile_ms(99) is None


@pytest.mark.parametrize("value_ms", [0.0, -5.0])
def test_a_value_before_its_time_counts_as_next_to_nothing(value_ms: float) -> None:
    found_ms = histogram_of([value_ms, 10]).percentile_ms(50)

    assert found_ms == pytest.approx(0.001, rel=0.01)
