"""HTML, with every text escaped."""

import json
import re
from collections.abc import Callable, Iterable
from html import escape
from typing import Any, Final


class Markup(str):
    """A piece of HTML."""

    __slots__ = ()


_CODE: Final = re.compile("`([^`]+)`")


def element(name: str, *inside: str, **attributes: str) -> Markup:
    """An element with these texts and elements inside; `class_` is `class`, `aria_label` is
    `aria-label`."""
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
    )
    return Markup(f"<{name}{said}>{joined(inside)}</{name}>")


def joined(parts: Iterable[str]) -> Markup:
    """Texts and elements, one after the other."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in parts))


def prose(text: str) -> Markup:
    """A paragraph; what stands between backticks is code."""
    return element("p", replaced(_CODE, text, lambda code: element("code", code.strip("`"))))


def replaced(pattern: re.Pattern[str], text: str, make: Callable[[str], Markup]) -> Markup:
    """The text, with what `make` makes of each match of the pattern in its place."""
    parts: list[str] = []
    end = 0
    for match in pattern.finditer(text):
        parts += [text[end : match.start()], make(match[0])]
        end = match.end()
    return joined([*parts, text[end:]])


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> Markup:
    """A table that may be scrolled sideways; the first cell of a row is its head."""
    head = element("thead", element("tr", *(element("th", text, scope="col") for text in heads)))
    body = element("tbody", *(_row(*cells) for cells in rows))
    return element("div", element("table", head, body), class_="scroll", tabindex="0")


def example(value: Any) -> Markup:
    """A message, to be unfolded."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return element("details", element("summary", "Example"), element("pre", text, tabindex="0"))


def _row(head: str, *cells: str) -> Markup:
    return element("tr", element("th", head, scope="row"), *(element("td", cell) for cell in cells))
