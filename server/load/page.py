"""The report as one HTML page that needs nothing but itself."""

from collections.abc import Mapping
from html import escape
from typing import Any, Final

from server.load.figures import PERCENTILES
from server.load.plot import Series, plot
from server.load.stats import COUNTS, LATENCIES

_STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 920px; margin: 2em auto; color: #222; }
table { border-collapse: collapse; } td, th { padding: .15em .8em; text-align: right; }
td:first-child, th:first-child { text-align: left; } tr { border-bottom: 1px solid #ddd; }
figure { margin: 1.5em 0; } svg { width: 100%; } polyline { fill: none; stroke-width: 1.5; }
line { stroke: #ddd; } text { font-size: 12px; text-anchor: end; fill: #555; }
text.first { text-anchor: start; } .failed { color: #c8324b; }
"""


def page(report: Mapping[str, Any]) -> str:
    """The page of a report, which is as in `report.json`: an HTML document."""
    title = escape(report["title"])
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>{title}</title><style>{_STYLE}</style><h1>{title}</h1>"
        f"{_verdict(report['failed'])}{_latencies(report['figures'])}{_plots(report['series'])}"
        f"{_counts(report)}</html>"
    )


def _verdict(failed: list[str]) -> str:
    return "".join(f'<p class="failed">Failed: {escape(condition)}</p>' for condition in failed)


def _latencies(figures: Mapping[str, float | None]) -> str:
    suffixes = [f"{label}_ms" for label in PERCENTILES] + ["max_ms"]
    head = "".join(f"<th>{suffix.replace('_', ' ')}</th>" for suffix in suffixes)
    rows = []
    for name, meaning in LATENCIES.items():
        values = [figures[f"{name}_{suffix}"] for suffix in suffixes]
        if values[0] is not None:
            cells = "".join(f"<td>{value:.2f}</td>" for value in values)
            rows.append(f"<tr><td title='{escape(meaning)}'>{name}</td>{cells}</tr>")
    return f"<table><tr><th>latency</th>{head}</tr>{''.join(rows)}</table>"


def _plots(series: list[Mapping[str, Any]]) -> str:
    def by_second(name: str) -> Series:
        return [second.get(name) for second in series]

    def percentiles(latency: str) -> dict[str, Series]:
        return {label: by_second(f"{latency}_{label}_ms") for label in PERCENTILES}

    return "".join(
        [
            plot("Pushes, from the server's time to the receipt", "ms", percentiles("push")),
            plot("Calls, off their rhythm", "ms", percentiles("jitter")),
            plot("Sockets", "", {"open": by_second("sockets")}),
            plot("Room events a second", "", {"received": by_second("events")}),
            plot("Errors a second", "", {name: by_second(name) for name in ("errors", "missed")}),
            plot("CPU of the load tool", "%", {"of one core": by_second("cpu_percent")}),
        ]
    )


def _counts(report: Mapping[str, Any]) -> str:
    figures = report["figures"]
    others = ("seconds", "sockets", "events_per_second", "cpu_seconds", "cpu_percent", "errors")
    rows = {name: figures[name] for name in (*COUNTS, *others)}
    rows |= {f"error: {code}": times for code, times in report["errors"].items()}
    cells = "".join(f"<tr><td>{escape(name)}</td><td>{n}</td></tr>" for name, n in rows.items())
    return f"<table><tr><th>count</th><th></th></tr>{cells}</table>"
