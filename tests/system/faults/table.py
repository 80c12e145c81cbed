"""The table of a run: what was done to the servers, and what became of the games."""

from collections.abc import Mapping

from tests.system.faults.verdict import Tally

_HEAD = (
    "| run | faults | games | won | calls | worst delay | repeated | skipped | lost | doubled |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


def table(runs: Mapping[str, Tally]) -> str:
    """The runs as a table in Markdown."""
    return "\n".join([_HEAD, *(_line(name, tally) for name, tally in runs.items())])


def _line(name: str, tally: Tally) -> str:
    faults = ", ".join(f"{count} {kind}" for kind, count in sorted(tally.faults.items()))
    cells = [name, faults, tally.games, tally.won, tally.calls]
    cells += [f"{tally.worst_delay_seconds:.2f} s", tally.repeated, tally.skipped]
    cells += [tally.lost, tally.doubled]
    return f"| {' | '.join(map(str, cells))} |"
