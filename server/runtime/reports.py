"""What several processes counted, as one: their metrics as plain values, which travel, are added up
and become Prometheus's text.

A report declares for each of its metrics how it is added up, so that whoever adds need not know it:
while a version replaces another, they differ.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from pydantic import ConfigDict, TypeAdapter

Across = Literal["sum", "min", "max"]
"""What a metric is over several processes. The lesser one, where each should be 1 or recent; the
greater one, where all report the same thing."""

_OF: Final[Mapping[str, Any]] = {"sum": sum, "min": min, "max": max}
_COUNTED: Final = ("counter", "histogram")

Labels = Mapping[str, str]


class Family(NamedTuple):
    """One metric with its samples: name, labels and value."""

    name: str
    text: str
    type: str
    across: str
    samples: Sequence[tuple[str, Labels, float]]


Report = Sequence[Family]

_REPORT: Final = TypeAdapter(
    list[tuple[str, str, str, str, list[tuple[str, dict[str, str], float | None]]]],
    config=ConfigDict(defer_build=True),
)


def report_of(metrics: Iterable[Metric], across: Mapping[str, Across]) -> Report:
    """The report of one process. What `across` does not name is a sum."""
    return [
        Family(
            metric.name,
            metric.documentation,
            metric.type,
            across.get(metric.name, "sum"),
            [(sample.name, sample.labels, sample.value) for sample in metric.samples],
        )
        for metric in metrics
    ]


def plain(report: Report) -> list[list[Any]]:
    """The report as JSON has it."""
    return [list(family) for family in report]


def read_report(rows: object) -> Report:
    """A report that came as JSON, which has no word for a value that is no number: such are left
    out. Raises ValueError if it is no report."""
    return [
        Family(name, text, kind, across, [(of, lb, v) for of, lb, v in samples if v is not None])
        for name, text, kind, across, samples in _REPORT.validate_python(rows)
    ]


def total(reports: Iterable[Report]) -> Report:
    """All reports as one."""
    found: dict[str, Family] = {}
    values: dict[str, dict[tuple[Any, ...], list[float]]] = {}
    for family in (family for report in reports for family in report):
        found[family.name] = family
        of_family = values.setdefault(family.name, {})
        for name, labels, value in family.samples:
            of_family.setdefault((name, *labels.items()), []).append(value)
    return [
        family._replace(
            samples=[
                (name, dict(labels), float(_across(family, name)(several)))
                for (name, *labels), several in values[family.name].items()
            ]
        )
        for family in found.values()
    ]


def counted(report: Report) -> Report:
    """What remains of a process that has ended: what it has counted, not how it was."""
    return [family for family in report if family.type in _COUNTED]


def prometheus_text(report: Report) -> bytes:
    """The report as `/metrics` shows it."""
    registry = CollectorRegistry()
    registry.register(_AsTold(report))
    return generate_latest(registry)


def _across(family: Family, sample: str) -> Any:
    # Another version may know other ways.
    return min if sample.endswith("_created") else _OF.get(family.across, sum)


class _AsTold(Collector):
    def __init__(self, report: Report) -> None:
        self._report = report

    def collect(self) -> Iterable[Metric]:
        """The families of the report."""
        for family in self._report:
            metric = Metric(family.name, family.text, family.type)
            for name, labels, value in family.samples:
                metric.add_sample(name, dict(labels), value)
            yield metric
