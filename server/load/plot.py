"""Plots over time as SVG, without a library and without a network."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

# In units of the SVG's viewBox; the margins have the labels.
_WIDTH: Final = 860
_HEIGHT: Final = 220
_LEFT: Final = 64
_BOTTOM: Final = 24
_TOP: Final = 12
_COLOURS: Final = ("#2a6fdb", "#2a9d5c", "#d98a1c", "#c8324b")

Series = Sequence[float | None]


def plot(title: str, unit: str, series: Mapping[str, Series]) -> str:
    """An HTML figure with up to four series, by their names in the legend: each has one value for
    each second, in `unit`; None is a gap."""
    top = _round_up(
        max((value for values in series.values() for value in values if value), default=0)
    )
    drawn = [
        f'<polyline points="{points}" stroke="{colour}"/>'
        for values, colour in zip(series.values(), _COLOURS, strict=False)
        for points in _stretches(values, top)
    ]
    length = max((len(values) for values in series.values()), default=0)
    return (
        f"<figure><figcaption>{escape(title)} {_legend(series)}</figcaption>"
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"{_grid(top, unit)}{_seconds(length)}{''.join(drawn)}</svg></figure>"
    )


def _stretches(values: Series, top: float) -> list[str]:
    """The points of each part of the values that has no gap, as `points` of a polyline."""
    stretches: list[list[str]] = [[]]
    for second, value in enumerate(values):
        if value is None:
            stretches.append([])
        else:
            x = _LEFT + (_WIDTH - _LEFT) * second / max(len(values) - 1, 1)
            stretches[-1].append(f"{x:.1f},{_y(value, top):.1f}")
    return [" ".join(points) for points in stretches if points]


def _y(value: float, top: float) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * value / top


def _grid(top: float, unit: str) -> str:
    parts = []
    for value in (0.0, top / 2, top):
        y = _y(value, top)
        parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4}">{value:g} {escape(unit)}</text>')
    return "".join(parts)


def _seconds(length: int) -> str:
    y = _HEIGHT - 6
    first = f'<text class="first" x="{_LEFT}" y="{y}">0 s</text>'
    return f'{first}<text x="{_WIDTH}" y="{y}">{length} s</text>'


def _legend(series: Mapping[str, Series]) -> str:
    return " ".join(
        f'<b style="color:{colour}">{escape(name)}</b>'
        for name, colour in zip(series, _COLOURS, strict=False)
    )


def _round_up(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    step = 1.0
    while step > value > 0:
        step /= 10
    while True:
        for factor in (1, 2, 5):
            if value <= step * factor:
                return step * factor
        step *= 10
