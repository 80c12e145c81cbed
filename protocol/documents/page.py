"""The page to read: both documents, their types, and the table of errors."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from protocol.documents.schema import Json
from protocol.documents.typescript import type_text
from protocol.errors import ERRORS
from protocol.examples import EXAMPLES

_CODE: Final = re.compile("`([^`]+)`")
_TYPE: Final = re.compile(r"\b((?!Array\b|Record\b)[A-Z]\w+)")


def page(asyncapi: Json, openapi: Json, schema: Json) -> str:
    """The page, without any script."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "code": _code,
        "json": lambda value: json.dumps(value, indent=2, ensure_ascii=False),
        "links": _links,
        "referred": _referred,
        "type_text": type_text,
    }
    text: str = environment.get_template("page.html.j2").render(
        asyncapi=asyncapi,
        openapi=openapi,
        types=schema["$defs"],
        errors=ERRORS,
        examples={model.__name__: value for model, value in EXAMPLES.items()},
        operations=_operations,
        answers=_answers,
        content=_content,
        codes=_codes,
    )
    return text


def _code(text: str) -> Markup:
    """The text; what stands between backticks is code."""
    return _replaced(_CODE, Markup("<code>{0}</code>"), text)


def _links(text: str) -> Markup:
    """The text, with each name of a type leading to what the page says of the type."""
    return _replaced(_TYPE, Markup('<a href="#type-{0}">{0}</a>'), text)


def _replaced(pattern: re.Pattern[str], template: Markup, text: str) -> Markup:
    """The text, with the group of each match of the pattern in the template; all is escaped."""
    parts = enumerate(pattern.split(text))
    return Markup("").join(template.format(part) if n % 2 else part for n, part in parts)


def _referred(reference: Any) -> str:
    """The name that a `$ref` ends in."""
    return str(reference["$ref"]).rpartition("/")[2]


def _operations(asyncapi: Json, channel: str, action: str) -> Sequence[Json]:
    return [
        operation
        for operation in asyncapi["operations"].values()
        if operation["channel"]["$ref"].endswith(f"/{channel}") and operation["action"] == action
    ]


def _answers(channel: Json, operation: Json) -> Sequence[Json]:
    messages = (channel["messages"][_referred(answer)] for answer in operation["reply"]["messages"])
    return [message["payload"] for message in messages]


def _content(response: Json) -> str:
    """The types of an answer, or else its content types."""
    schemas = [content["schema"] for content in response["content"].values()]
    names = [_referred(schema) for schema in schemas if "$ref" in schema]
    return ", ".join(names or response["content"])


def _codes(response: Json) -> str:
    return ", ".join(response["content"].get("application/problem+json", {}).get("examples", ()))
