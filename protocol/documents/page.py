"""The page to read: both documents, their types, and the table of errors."""

from collections.abc import Mapping
from typing import Final

from protocol.documents.markup import Markup, element, prose
from protocol.documents.page_routes import routes_part
from protocol.documents.page_sockets import channel_part
from protocol.documents.page_types import errors_part, types_part
from protocol.documents.schema import Json

_HEAD: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Fair Bingo: the protocol</title>
<link rel="icon" href="/client/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/client/css/inks.css">
<link rel="stylesheet" href="/client/css/base.css">
<link rel="stylesheet" href="/client/docs/docs.css">
</head>
"""
_FILES: Final = {
    "/docs/asyncapi.json": "AsyncAPI of the sockets",
    "/docs/openapi.json": "OpenAPI of the routes",
    "/docs/schema.json": "JSON Schema",
    "/docs/types.ts": "TypeScript",
}


def page(asyncapi: Json, openapi: Json, schema: Json) -> str:
    """The page, without any script."""
    parts = {
        **{
            name: (channel["title"], channel_part(asyncapi, name))
            for name, channel in asyncapi["channels"].items()
        },
        "http": ("HTTP", routes_part(openapi)),
        "errors": ("Errors", errors_part()),
        "types": ("Types", types_part(schema["$defs"])),
    }
    title = element("header", element("h1", "The protocol"), class_="page-head")
    contents = {f"#{name}": heading for name, (heading, _) in parts.items()}
    main = element(
        "main",
        prose(asyncapi["info"]["description"]),
        element("nav", _links(contents), aria_label="Contents"),
        element("nav", _links(_FILES), aria_label="Files"),
        *(_section(name, *part) for name, part in parts.items()),
    )
    return f"{_HEAD}{element('body', title, main)}\n</html>\n"


def _links(links: Mapping[str, str]) -> Markup:
    rows = (element("li", element("a", text, href=target)) for target, text in links.items())
    return element("ul", *rows, class_="facts")


def _section(name: str, title: str, content: Markup) -> Markup:
    return element("section", element("h2", title), content, id=name)
