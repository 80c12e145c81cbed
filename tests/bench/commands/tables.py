"""The tables of what commands cost, in Markdown."""

from collections.abc import Iterable, Mapping, Sequence

from tests.bench.support.timing import Timing

_PARTS_HEAD = ("part of `arrange_grid`", "CPU, µs")


def timings_table(by_load: Mapping[str, Mapping[str, Timing]]) -> str:
    """Latencies under each load; and under the last, which is to be the heaviest, the throughput
    and the processor time."""
    *_, heaviest = by_load.values()
    loads = [f"{load}: p50, p99 in ms" for load in by_load]
    head = ("", *loads, "a second", "CPU each, µs", "of its core")
    rows = (
        (
            name,
            *(_percentiles(timings[name]) for timings in by_load.values()),
            f"{timing.rate:,.0f}",
            f"{timing.cpu_us:,.0f}",
            f"{100 * timing.core_share:.0f} %",
        )
        for name, timing in heaviest.items()
    )
    return _table(head, rows)


def _percentiles(timing: Timing) -> str:
    return ", ".join(f"{each_ms:.2f}" for each_ms in timing.p50_p99_ms)


def costs_table(costs_us: Mapping[str, float]) -> str:
    """The processor time of each part, in microseconds."""
    return _table(_PARTS_HEAD, ((name, f"{cost_us:.1f}") for name, cost_us in costs_us.items()))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
