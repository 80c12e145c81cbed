"""OpenAPI 3.1 of the HTTP routes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

from protocol.documents.route import Answer, Route
from protocol.documents.routes import ROUTES
from protocol.documents.schema import Json, definitions
from protocol.errors import ERRORS, ErrorCode
from protocol.examples import EXAMPLES
from protocol.http import Problem
from protocol.ids import ALIEN_ID_PATTERN, LOBBY_ID_PATTERN
from protocol.statuses import title_of

_PREFIX: Final = "#/components/schemas/"
_RETRY_AFTER: Final = {
    "Retry-After": {
        "description": "After how many seconds to try again.",
        "schema": {"type": "integer"},
    }
}
_HEADERS: Final[Mapping[int, Json]] = {
    401: {"WWW-Authenticate": {"schema": {"const": "Bearer"}}},
    429: _RETRY_AFTER,
    503: _RETRY_AFTER,
}


def openapi(version: str) -> Json:
    """The document of this version of the package."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Fair Bingo over HTTP",
            "version": version,
            "description": "The game for those without a socket, the payment provider's webhook, "
            "and health. A refusal is `application/problem+json` with a `code` of the closed "
            "table in `ErrorCode`.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "The server that shows this document."}],
        "paths": _paths(),
        "components": {
            "schemas": definitions(_bodies(), _answers(), _PREFIX + "{model}"),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "A token of the Alien platform; the player is its `sub`.",
                },
                "operator": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An operator's token, of `OPS_TOKENS`.",
                },
            },
        },
    }


def _bodies() -> Iterable[Any]:
    return (route.body for route in ROUTES if route.body is not None)


def _answers() -> Iterable[Any]:
    models = (model for route in ROUTES for model in route.answers.values())
    return (*(model for model in models if not isinstance(model, str)), Problem)


def _paths() -> Json:
    paths: dict[str, Json] = defaultdict(dict)
    for route in ROUTES:
        paths[route.path][route.method] = _operation(route)
    return dict(paths)


def _operation(route: Route) -> Json:
    operation: Json = {"summary": route.summary, "operationId": _operation_id(route)}
    if parameters := _parameters(route):
        operation["parameters"] = parameters
    if route.body is not None:
        operation["requestBody"] = {
            "required": route.body_required,
            "content": {"application/json": _content(route.body)},
        }
    operation["responses"] = _responses(route)
    operation["security"] = [{"token": []}] if route.needs_token else []
    if route.for_operators:
        operation["security"] = [{"operator": []}]
    return operation


def _operation_id(route: Route) -> str:
    words = (
        route.path.replace("{lobby_id}", "lobby")
        .replace("{alien_id}", "player")
        .replace(".", "/")
        .split("/")
    )
    return "_".join([route.method, *filter(None, words)])


def _parameters(route: Route) -> list[Json]:
    parameters: list[Json] = [
        {"name": name, "in": "header", "required": True, "schema": schema}
        for name, schema in route.headers.items()
    ]
    parameters += [
        {"name": name, "in": "query", "schema": schema} for name, schema in route.query.items()
    ]
    if "{alien_id}" in route.path:
        schema = {"type": "string", "pattern": ALIEN_ID_PATTERN}
        parameters.append({"name": "alien_id", "in": "path", "required": True, "schema": schema})
    if "{lobby_id}" in route.path:
        schema = {"type": "string", "pattern": LOBBY_ID_PATTERN}
        parameters.append({"name": "lobby_id", "in": "path", "required": True, "schema": schema})
    return parameters


def _responses(route: Route) -> Json:
    responses: dict[str, Json] = {
        str(status): {"description": title_of(status), "content": _answer(answer)}
        for status, answer in route.answers.items()
    }
    by_status: dict[int, list[ErrorCode]] = defaultdict(list)
    for code in dict.fromkeys(route.refusals):
        by_status[ERRORS[code].http_status].append(code)
    for status, codes in by_status.items():
        response = responses.setdefault(str(status), {"content": {}})
        response["description"] = ", ".join(f"`{code}`" for code in codes)
        response["content"] |= {"application/problem+json": _refusals(codes)}
        if status in _HEADERS and not (status == HTTPStatus.UNAUTHORIZED and route.for_operators):
            response["headers"] = _HEADERS[status]
    return dict(sorted(responses.items()))


def _answer(answer: Answer) -> Json:
    if isinstance(answer, str):
        return {answer: {"schema": {} if answer.endswith("json") else {"type": "string"}}}
    return {"application/json": _content(answer)}


def _content(model: Any) -> Json:
    return {"schema": {"$ref": _PREFIX + model.__name__}, "example": EXAMPLES[model]}


def _refusals(codes: Iterable[ErrorCode]) -> Json:
    return {
        "schema": {"$ref": _PREFIX + Problem.__name__},
        "examples": {code.value: {"value": _problem(code)} for code in codes},
    }


def _problem(code: ErrorCode) -> Json:
    entry = ERRORS[code]
    return Problem(
        type="about:blank",
        title=title_of(entry.http_status),
        status=entry.http_status,
        detail=entry.message,
        code=code,
    ).model_dump(mode="json")
