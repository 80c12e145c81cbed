"""The part of the page on HTTP."""

from protocol.documents.links import linked, links, referred
from protocol.documents.markup import Markup, element, example, joined, prose, table
from protocol.documents.schema import Json


def routes_part(openapi: Json) -> Markup:
    """Every route, with what it takes and what it answers."""
    return joined(
        _route(method.upper(), path, operation)
        for path, operations in openapi["paths"].items()
        for method, operation in operations.items()
    )


def _route(method: str, path: str, operation: Json) -> Markup:
    contents = operation.get("requestBody", {"content": {}})["content"].values()
    rows = (
        (status, _content(response), _codes(response))
        for status, response in operation["responses"].items()
    )
    return element(
        "article",
        element("h4", element("code", f"{method} {path}")),
        prose(operation["summary"] + (" Wants a token." if operation["security"] else "")),
        *(
            joined([linked("Body", [referred(body["schema"])]), example(body["example"])])
            for body in contents
        ),
        table(["Status", "Answer", "Codes"], rows),
    )


def _content(response: Json) -> Markup:
    schemas = [content["schema"] for content in response["content"].values()]
    names = [referred(schema) for schema in schemas if "$ref" in schema]
    return links(", ".join(names) or ", ".join(response["content"]))


def _codes(response: Json) -> str:
    return ", ".join(response["content"].get("application/problem+json", {}).get("examples", ()))
