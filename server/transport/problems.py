"""Refusals over HTTP: problem+json (RFC 9457)."""

from http import HTTPStatus
from typing import Any, Final

import orjson
from aiohttp import web

from protocol.errors import ERRORS, ErrorCode, Refused
from protocol.statuses import title_of

RETRY_AFTER_SECONDS: Final = 1
_SHOW_DETAILS: Final = frozenset({ErrorCode.BANNED, ErrorCode.LIMIT_REACHED})
"""Codes that do not say enough by themselves: for how long, and why. Whatever else has details has
them over sockets; clients of HTTP know the five members only."""


def problem(refused: Refused, detail: str | None = None, status: int | None = None) -> web.Response:
    """The response to a refused request: `{type, title, status, detail, code}`, and `details` where
    there are facts that help.

    `detail` and `status` replace those of the error table, where HTTP has a word of its own.
    Refusals that time heals (429, 503) carry `Retry-After`, those that a token would heal (401)
    `WWW-Authenticate`.
    """
    entry = ERRORS[refused.code]
    status = status or entry.http_status
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title_of(status),
        "status": status,
        "detail": detail or entry.message,
        "code": refused.code,
    }
    if refused.details is not None and refused.code in _SHOW_DETAILS:
        body["details"] = dict(refused.details)
    response = web.Response(
        body=orjson.dumps(body),
        status=status,
        content_type="application/problem+json",
    )
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"  # RFC 9110, 15.5.2 wants some challenge
    return response


def route_problem(error: web.HTTPException) -> web.Response:
    """The response to a request for which there is no route, or one that HTTP itself refuses: the
    status is HTTP's own, and the answer to a wrong method lists the right ones."""
    is_unknown = error.status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
    code = ErrorCode.UNKNOWN_COMMAND if is_unknown else ErrorCode.INVALID_MESSAGE
    body = {
        "type": "about:blank",
        "title": error.reason,
        "status": error.status,
        "detail": ERRORS[code].message,
        "code": code,
    }
    return web.Response(
        body=orjson.dumps(body),
        status=error.status,
        content_type="application/problem+json",
        headers={name: error.headers[name] for name in ("Allow",) if name in error.headers},
    )
