"""The outcome of a comparison: a table to read, and a line to keep."""

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
from tests.bench.fanout.measure import Slice
from tests.bench.fanout.work import Shape

RESULTS: Final = Path(__file__).parents[1] / "results.jsonl"
_PACKAGES: Final = ("aiohttp", "orjson", "python-engineio", "python-socketio", "uvloop")


@dataclass(frozen=True, slots=True)
class Ratio:
    """The processor time of a server as a multiple of ours: the median of all slices, and the range
    without the lowest and the highest tenth."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


def ratio(theirs: Sequence[Slice], ours: Sequence[Slice]) -> Ratio:
    """Compares slices that came in the same turn. Their number has to be the same."""
    ratios = sorted(their.cpu_us / our.cpu_us for their, our in zip(theirs, ours, strict=True))
    tenth = len(ratios) // 10
    return Ratio(median(ratios), ratios[tenth], ratios[-1 - tenth])


def table(slices: Mapping[str, Sequence[Slice]]) -> str:
    """The medians, a line for each server, ours among them."""
    rows = ["server              deliveries/s  us each  user  system  client  ratio to ours"]
    for name, of_server in slices.items():
        rows.append(
            f"{name:20}{_median(of_server, 'deliveries_per_second'):12,.0f}"
            f"{_median(of_server, 'cpu_us'):9.2f}{_median(of_server, 'user_us'):6.2f}"
            f"{_median(of_server, 'system_us'):8.2f}{_median(of_server, 'client_core_share'):8.0%}"
            f"  {ratio(of_server, slices[OURS.name])}"
        )
    return "\n".join(rows)


def append_line(bench: str, measured: Mapping[str, Any]) -> None:
    """Add a line to the results: when, at which commit and on what `bench` measured this."""
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


def kept(shape: Shape, slices: Mapping[str, Sequence[Slice]]) -> dict[str, Any]:
    """What is kept of a comparison, as JSON."""
    return {
        "sockets": shape.sockets,
        "room_size": shape.room_size,
        "slices": len(slices[OURS.name]),
        "servers": {name: _medians(each, slices[OURS.name]) for name, each in slices.items()},
    }


def _medians(theirs: Sequence[Slice], ours: Sequence[Slice]) -> dict[str, Any]:
    compared = ratio(theirs, ours)
    return {
        "deliveries_per_second": round(_median(theirs, "deliveries_per_second")),
        "cpu_us": round(_median(theirs, "cpu_us"), 2),
        "user_us": round(_median(theirs, "user_us"), 2),
        "system_us": round(_median(theirs, "system_us"), 2),
        "ratio_to_ours": [round(n, 2) for n in (compared.median, compared.low, compared.high)],
    }


def _median(slices: Sequence[Slice], name: str) -> float:
    middle: float = median(getattr(each, name) for each in slices)
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
