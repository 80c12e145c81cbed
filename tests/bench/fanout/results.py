"""What the runs come to: a table to read, and a line to keep."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, Final

from tests.bench.fanout.contenders import JS, OURS
from tests.bench.fanout.measure import Run
from tests.bench.fanout.work import Shape

RESULTS: Final = Path(__file__).parents[1] / "results.jsonl"
_PACKAGES: Final = ("aiohttp", "orjson", "python-engineio", "python-socketio", "uvloop")


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times our processor time another server needs: the median of all slices, and the
    range without the lowest and the highest tenth."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


def ratio(runs: Sequence[Run], ours: Sequence[Run]) -> Ratio:
    """Slices of one turn are compared with each other."""
    ratios = sorted(run.cpu_us / our.cpu_us for run, our in zip(runs, ours, strict=True))
    tenth = len(ratios) // 10
    return Ratio(median(ratios), ratios[tenth], ratios[-1 - tenth])


def table(runs: Mapping[str, Sequence[Run]]) -> str:
    """The medians, a line for each server."""
    rows = ["server              deliveries/s  us each  user  system  client  ratio to ours"]
    for name, of_server in runs.items():
        rows.append(
            f"{name:20}{_median(of_server, 'deliveries_per_second'):12,.0f}"
            f"{_median(of_server, 'cpu_us'):9.2f}{_median(of_server, 'user_us'):6.2f}"
            f"{_median(of_server, 'system_us'):8.2f}{_median(of_server, 'client_cpu'):8.0%}"
            f"  {ratio(of_server, runs[OURS.name])}"
        )
    return "\n".join(rows)


def append_line(bench: str, measured: Mapping[str, Any]) -> None:
    """Add a line to the results: when, of which commit, on what, and what was measured."""
    line = {
        "bench": bench,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": f"{os.cpu_count()} cores, {_processor()}, Linux {platform.release()}",
        "versions": _versions(),
        **measured,
    }
    with RESULTS.open("a") as results:
        results.write(json.dumps(line) + "\n")


def summary(shape: Shape, runs: Mapping[str, Sequence[Run]]) -> dict[str, Any]:
    """What is kept of a comparison."""
    return {
        "sockets": shape.sockets,
        "room_size": shape.room_size,
        "slices": len(runs[OURS.name]),
        "servers": {name: _kept(of_server, runs[OURS.name]) for name, of_server in runs.items()},
    }


def _kept(runs: Sequence[Run], ours: Sequence[Run]) -> dict[str, Any]:
    compared = ratio(runs, ours)
    return {
        "deliveries_per_second": round(_median(runs, "deliveries_per_second")),
        "cpu_us": round(_median(runs, "cpu_us"), 2),
        "user_us": round(_median(runs, "user_us"), 2),
        "system_us": round(_median(runs, "system_us"), 2),
        "ratio_to_ours": [round(n, 2) for n in (compared.median, compared.low, compared.high)],
    }


def _median(runs: Sequence[Run], name: str) -> float:
    middle: float = median(getattr(run, name) for run in runs)
    return middle


def _commit() -> str:
    command = ["git", "rev-parse", "--short=12", "HEAD"]
    head = subprocess.run(command, capture_output=True, text=True, check=False)
    return head.stdout.strip() or "unknown"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.partition(": ")[2] for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _versions() -> dict[str, str]:
    python = {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES}
    installed = JS / "node_modules/.package-lock.json"
    if not installed.exists():
        return python
    packages = json.loads(installed.read_text())["packages"]
    wanted = ("socket.io", "ws", "eiows", "@colyseus/core")
    return python | {
        name: packages[f"node_modules/{name}"]["version"]
        for name in wanted
        if f"node_modules/{name}" in packages
    }
