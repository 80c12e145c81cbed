"""The progress of a run on stderr, and its summary."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from server.load.figures import PERCENTILES, figures, latency_figures
from server.load.stats import IntervalStats, LatencyName

_SHOWN: Final[tuple[LatencyName, ...]] = ("push", "jitter", "connect", "join", "claim", "tool_lag")
_LINE_EVERY_SECONDS: Final = 5

Show = Callable[[Sequence[IntervalStats]], None]
"""Shows the stats of the seconds that are over."""


@contextmanager
def progress() -> Iterator[Show]:
    """Gives a `Show` that writes to stderr: a live table on a terminal, else a line every 5 s."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines()
        return
    with Live(console=console, auto_refresh=False) as live:
        yield lambda seconds: live.update(_view(seconds), refresh=True)


def summary(seconds: Sequence[IntervalStats]) -> str:
    """The figures that matter most, in one line."""
    found = figures(seconds)
    pushes = " ".join(f"{label} {_ms(found[f'push_{label}_ms'])}" for label in PERCENTILES)
    return (
        f"{found['seconds']} s: {found['sockets']} sockets, {found['games']} games,"
        f" {found['events']} events; push {pushes} ms; {found['errors']} errors,"
        f" {found['missed']} missed, {found['duplicates']} duplicates; CPU {found['cpu_percent']} %"
    )


def _lines() -> Show:
    shown_seconds = 0

    def show(seconds: Sequence[IntervalStats]) -> None:
        nonlocal shown_seconds
        if len(seconds) >= shown_seconds + _LINE_EVERY_SECONDS:
            shown_seconds = len(seconds)
            typer.echo(_last_second(seconds), err=True)

    return show


def _last_second(seconds: Sequence[IntervalStats]) -> str:
    second = seconds[-1] if seconds else IntervalStats()
    games = sum(earlier.counts["games"] for earlier in seconds)
    found = latency_figures(second)
    return (
        f"{len(seconds)} s: {second.sockets} sockets, {games} games,"
        f" {second.counts['events']} events/s,"
        f" push p50 {_ms(found['push_p50_ms'])} p99 {_ms(found['push_p99_ms'])} ms,"
        f" {second.errors.total()} errors, {second.counts['missed']} missed"
    )


def _view(seconds: Sequence[IntervalStats]) -> Group:
    second = seconds[-1] if seconds else IntervalStats()
    found = latency_figures(second)
    table = Table()
    table.add_column("ms, last second")
    for label in (*PERCENTILES, "max"):
        table.add_column(label, justify="right")
    for name in _SHOWN:
        table.add_row(name, *(_ms(found[f"{name}_{label}_ms"]) for label in (*PERCENTILES, "max")))
    for code, times in second.errors.most_common(5):
        table.add_row(code, str(times))
    return Group(_last_second(seconds), table)


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
