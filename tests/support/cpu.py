"""`--cpu N`: which tests and files took the most CPU seconds, with all processes they started.

A wall clock says little of a run whose workers share few cores; this says where its time went.
"""

import os
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Final

import pytest

_PROPERTY: Final = "cpu_seconds"
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_begun = pytest.StashKey[float]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """How many lines of each list to show."""
    parser.getgroup("reporting").addoption(
        "--cpu", type=int, default=0, metavar="N", help="show the N tests and files with most CPU"
    )


def cpu_seconds() -> float:
    """What this process has taken so far, with those it started that run or were waited for."""
    seconds = sum(os.times()[:4])
    parents: dict[int, int] = {}
    taken: dict[int, float] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # After the name, which may hold anything: state, parent, ... utime to cstime.
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        parents[int(folder.name)] = int(fields[1])
        taken[int(folder.name)] = sum(map(int, fields[11:15])) / _TICKS
    here = os.getpid()
    for process in taken:
        parent = parents[process]
        while parent in parents and parent != here:
            parent = parents[parent]
        if parent == here:
            seconds += taken[process]
    return seconds


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Take the time before the first fixture."""
    if item.config.getoption("cpu"):
        item.stash[_begun] = cpu_seconds()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note what a test took, after its last fixture."""
    report = yield
    if call.when == "teardown" and _begun in item.stash:
        # What is lost of processes that ended after their parents may be more than a test took.
        taken = max(0.0, cpu_seconds() - item.stash[_begun])
        report.user_properties.append((_PROPERTY, taken))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The two lists, and the whole."""
    lines = terminalreporter.config.getoption("cpu")
    if not lines:
        return
    by_test: Counter[str] = Counter()
    by_file: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            seconds = dict(getattr(report, "user_properties", ())).get(_PROPERTY)
            if seconds is not None and getattr(report, "when", "") == "teardown":
                by_test[report.nodeid] += seconds
                by_file[report.nodeid.partition("::")[0]] += seconds
    terminalreporter.section(f"CPU: {sum(by_file.values()):.0f} s in tests and their fixtures")
    for counter in (by_file, by_test):
        for name, seconds in counter.most_common(lines):
            terminalreporter.write_line(f"{seconds:8.2f} s  {name}")
        terminalreporter.write_line("")
