"""What several processes count, added up."""

import math
from typing import Any

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from server.runtime.metrics import Metrics
from server.runtime.reports import (
    Across,
    Report,
    counted,
    plain,
    prometheus_text,
    read_report,
    total,
)


def process(sockets: float, up: float = 1, debt: float = 0) -> Metrics:
    """The metrics of a process, with a metric of each kind."""
    metrics = Metrics()
    metrics.watch("fair_bingo_sockets", "Open.", (), lambda: {(): sockets})
    metrics.watch("fair_bingo_up", "Up.", (), lambda: {(): up}, across="min")
    metrics.watch("fair_bingo_debt", "Owed.", ("tier",), lambda: {("a",): debt}, across="max")
    metrics.watch("fair_bingo_ends_total", "Ends.", ("how",), lambda: {("x",): sockets})
    return metrics


def values(report: Report) -> dict[str, float]:
    """Every sample of the text, by its name and labels."""
    text = prometheus_text(report).decode()
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_processes_count_and_have_is_added_up() -> None:
    several = [process(2), process(5), process(0)]
    several[0].commits.labels("committed").inc(3)
    several[1].commits.labels("committed").inc(4)
    several[1].commits.labels("conflict").inc()
    several[0].call_jitter.observe(0.003)
    several[2].call_jitter.observe(20)
    seen = values(total(metrics.report() for metrics in several))
    assert seen["fair_bingo_sockets"] == 7
    assert seen["fair_bingo_ends_total x"] == 7
    assert seen["fair_bingo_commits_total committed"] == 7
    assert seen["fair_bingo_commits_total conflict"] == 1
    assert seen["fair_bingo_call_jitter_seconds_count"] == 2
    assert seen["fair_bingo_call_jitter_seconds_bucket 0.005"] == 1
    assert seen["fair_bingo_call_jitter_seconds_bucket +Inf"] == 2
    assert seen["fair_bingo_call_jitter_seconds_sum"] == pytest.approx(20.003)


def test_what_must_hold_for_each_is_the_worst_and_what_all_report_counts_once() -> None:
    several = [process(1, up=1, debt=3500), process(1, up=0, debt=7000), process(1)]
    seen = values(total(metrics.report() for metrics in several))
    assert seen["fair_bingo_up"] == 0
    assert seen["fair_bingo_debt a"] == 7000


def test_of_a_process_that_has_ended_only_what_it_counted_remains() -> None:
    ended = process(9, up=0, debt=7000)
    ended.commits.labels("committed").inc(3)
    seen = values(total([counted(ended.report()), process(1).report()]))
    assert seen["fair_bingo_sockets"] == 1
    assert seen["fair_bingo_up"] == 1
    assert seen["fair_bingo_debt a"] == 0
    assert seen["fair_bingo_commits_total committed"] == 3
    assert seen["fair_bingo_ends_total x"] == 10


def test_a_report_survives_its_way_as_json() -> None:
    report = process(3).report()
    assert sent(read_report(sent(report))) == sent(report)


def sent(report: Report) -> Any:
    """The report as it arrives."""
    return orjson.loads(orjson.dumps(plain(report)))


def test_a_value_that_is_no_number_spoils_no_sum() -> None:
    (family,) = (family for family in process(3).report() if family.name == "fair_bingo_sockets")
    (sample,) = family.samples
    none = family._replace(samples=[(sample[0], {}, math.nan)])
    seen = values(total([read_report(sent([none])), read_report(sent([family]))]))
    assert seen["fair_bingo_sockets"] == 3


def test_a_way_to_add_up_that_only_another_version_knows_is_a_sum() -> None:
    unknown = [family._replace(across="median") for family in process(3).report()]
    assert values(total([read_report(sent(unknown))]))["fair_bingo_sockets"] == 3


def test_one_process_is_shown_as_it_shows_itself() -> None:
    metrics = process(3)
    metrics.commits.labels("committed").inc(3)
    assert prometheus_text(metrics.report()) == metrics.render()


@pytest.mark.parametrize(("across", "both"), [("sum", 3), ("min", 1), ("max", 2)])
def test_each_metric_declares_how_processes_are_added_up(across: Across, both: float) -> None:
    def report(value: float) -> Report:
        metrics = Metrics()
        metrics.watch("fair_bingo_new", "New.", (), lambda: {(): value}, across)
        return metrics.report()

    assert values(total([report(1), report(2)]))["fair_bingo_new"] == both
