"""The report of a run: `report.json` for programs, `report.html` for people."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from server.load.condition import Condition
from server.load.figures import figures, latency_figures, total
from server.load.page import page
from server.load.stats import COUNTS, IntervalStats


def write_report(
    directory: Path,
    title: str,
    seconds: Sequence[IntervalStats],
    steady: slice,
    failed: Sequence[Condition],
) -> None:
    """Write both files into the directory. `steady` is the slice of the seconds in which everybody
    was there; `failed` are the conditions that make the run end with an error. Raises OSError."""
    whole = {
        "title": title,
        "figures": figures(seconds),
        "steady": figures(seconds[steady]),
        "errors": dict(total(seconds).errors.most_common()),
        "failed": [str(condition) for condition in failed],
        "series": [_row(number, second) for number, second in enumerate(seconds, start=1)],
    }
    (directory / "report.json").write_bytes(orjson.dumps(whole, option=orjson.OPT_INDENT_2))
    (directory / "report.html").write_text(page(whole), encoding="utf-8")


def _row(number: int, second: IntervalStats) -> dict[str, Any]:
    """One second of the series."""
    measured = {name: ms for name, ms in latency_figures(second).items() if ms is not None}
    return {
        "second": number,
        "sockets": second.sockets,
        "cpu_percent": round(100 * second.cpu_seconds, 1),
        "errors": second.errors.total(),
        **{name: second.counts[name] for name in COUNTS},
        **measured,
    }
