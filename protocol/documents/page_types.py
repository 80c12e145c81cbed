"""The parts of the page on types and on errors."""

from collections.abc import Mapping

from protocol.documents.links import links
from protocol.documents.markup import Markup, element, example, joined, prose, table
from protocol.documents.schema import Json
from protocol.documents.typescript import type_text
from protocol.errors import ERRORS
from protocol.examples import EXAMPLES


def errors_part() -> Markup:
    """The closed table of refusals."""
    rows = (
        (code.value, str(entry.http_status), "yes" if entry.retry else "no", entry.message)
        for code, entry in ERRORS.items()
    )
    return table(["Code", "HTTP", "Retry", "Meaning"], rows)


def types_part(types: Mapping[str, Json]) -> Markup:
    """Every type with its fields and, if it stands alone, an example."""
    return joined(
        element(
            "article",
            element("h4", element("code", name), id=f"type-{name}"),
            prose(schema.get("description", "")),
            _fields(schema),
            *(example(value) for model, value in EXAMPLES.items() if model.__name__ == name),
        )
        for name, schema in types.items()
    )


def _fields(schema: Json) -> Markup:
    if "properties" not in schema:
        return element("p", element("code", links(type_text(schema))))
    required = schema.get("required", ())
    rows = (
        (name, links(type_text(field)), "" if name in required else "may be absent")
        for name, field in schema["properties"].items()
    )
    return table(["Field", "Type", ""], rows)
