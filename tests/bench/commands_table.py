"""The tables of what commands cost, in Markdown."""

from collections.abc import Iterable, Mapping, Sequence

from tests.bench.commands_timing import Timing

_PARTS_HEAD = ("part of `arrange_grid`", "CPU, µs")


def timings_table(by_load: Mapping[str, Mapping[str, Timing]]) -> str:
    """Latencies under each load, the last of which is as much as goes; then the rate under that
    one, and what each cost the processor."""
    *_, heaviest = by_load.values()
    loads = [f"{load}: p50, p99 in ms" for load in by_load]
    head = ("", *loads, "a second", "CPU each, µs", "of its core")
    return _table(
        head,
        (
            (
                name,
                *(", ".join(timings[name].percentiles_ms) for timings in by_load.values()),
                timing.per_second,
                timing.cpu_us,
                timing.busy_percent,
            )
            for name, timing in heaviest.items()
        ),
    )


def costs_table(costs_us: Mapping[str, float]) -> str:
    """What is spent on each part."""
    return _table(_PARTS_HEAD, ((name, f"{cost_us:.1f}") for name, cost_us in costs_us.items()))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
