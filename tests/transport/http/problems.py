"""Refusals over HTTP, as they must look."""

from typing import Any

from protocol.errors import ERRORS, ErrorCode
from protocol.statuses import title_of
from tests.system.game_server import HttpAnswer


def assert_problem(answer: HttpAnswer, code: str, details: Any = None) -> None:
    """Fail unless this is the refusal with that code and those details, with the status of its
    row."""
    assert answer.content_type == "application/problem+json", answer
    assert answer.body.pop("details", None) == details
    assert set(answer.body) == {"type", "title", "status", "detail", "code"}
    assert answer.body["code"] == code
    assert answer.body["status"] == answer.status == ERRORS[ErrorCode(code)].http_status
    assert answer.body["title"] == title_of(answer.status)
    assert ("Retry-After" in answer.headers) == (answer.status in (429, 503))
