"""Names of types, as links to what the page says of them."""

import re
from collections.abc import Iterable
from typing import Any, Final

from protocol.documents.markup import Markup, element, replaced

_NAME: Final = re.compile(r"\b[A-Z]\w+")


def linked(label: str, names: Iterable[str]) -> Markup:
    """A line with the types that something has."""
    return element("p", f"{label}: ", links(" | ".join(names)), class_="hint")


def links(text: str) -> Markup:
    """The text, with each name of a type leading to the type."""
    return replaced(_NAME, text, _link)


def referred(reference: Any) -> str:
    """The name that a `$ref` ends in."""
    return str(reference["$ref"]).rpartition("/")[2]


def _link(name: str) -> Markup:
    known_to_all = name in ("Array", "Record")
    return Markup(name) if known_to_all else element("a", name, href=f"#type-{name}")
