import json

from protocol.errors import ERRORS, ErrorCode, Refused
from server.transport.problems import problem


def test_every_refusal_has_a_problem_document() -> None:
    for code, entry in ERRORS.items():
        response = problem(Refused(code))
        assert isinstance(response.body, bytes)

        body = json.loads(response.body)

        assert response.status == entry.http_status
        assert response.content_type == "application/problem+json"
        assert body["status"] == entry.http_status
        assert body["code"] == code
        assert body["detail"] == entry.message
        assert body.keys() == {"type", "title", "status", "detail", "code"}


def test_refusals_that_pass_with_time_have_a_retry_after() -> None:
    assert problem(Refused(ErrorCode.UNAVAILABLE)).headers["Retry-After"] == "1"
    assert problem(Refused(ErrorCode.RATE_LIMITED)).headers["Retry-After"] == "1"
    assert "Retry-After" not in problem(Refused(ErrorCode.UNAUTHORIZED)).headers


def test_refusals_for_want_of_a_token_name_the_scheme() -> None:
    assert problem(Refused(ErrorCode.UNAUTHORIZED)).headers["WWW-Authenticate"] == "Bearer"
    assert problem(Refused(ErrorCode.TOKEN_EXPIRED)).headers["WWW-Authenticate"] == "Bearer"
    assert "WWW-Authenticate" not in problem(Refused(ErrorCode.NOT_PAID)).headers
