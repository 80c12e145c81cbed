"""Requests made up from the OpenAPI document: whatever is sent, the answer is a documented one."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests import PreparedRequest
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from protocol.documents.route import Route
from protocol.documents.routes import ROUTES
from protocol.payments import SIGNATURE_HEADER
from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.system.game_server import WEBHOOK, GameServer, running_app
from tests.transport.http.documented import DOCUMENT

FIXED_EXAMPLES = 15
WANTED = os.environ.get("FUZZ_EXAMPLES")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OPS_TOKEN = "sixteen-characters-or-more"
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)


@pytest.fixture
async def game(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> AsyncIterator[GameServer]:
    """A server that limits nobody."""
    limits = {"HTTP_RATE": "0", "CONNECT_RATE": "0"}
    ops_tokens = f"eve:admin:{OPS_TOKEN}"
    async with running_app(store_url, issuer, provider, OPS_TOKENS=ops_tokens, **limits) as game:
        yield game


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
async def test_every_answer_is_documented_and_none_is_an_error_of_ours(
    game: GameServer, route: Route
) -> None:
    lobby_id = await game.seat("alice")
    await asyncio.to_thread(send_anything, game, route, lobby_id)


def send_anything(game: GameServer, route: Route, lobby_id: str) -> None:
    """Send requests that the document allows, and some that it does not, as a player with a seat
    in this lobby, or as the payment provider."""
    token = OPS_TOKEN if route.for_operators else game.issuer.token("alice")
    bearer = {"Authorization": f"Bearer {token}"}

    def sign(request: PreparedRequest) -> PreparedRequest:
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        assert isinstance(body, bytes)
        request.headers[SIGNATURE_HEADER] = game.provider.sign(body)
        return request

    @given(case=st.one_of(*requests_to(route, lobby_id)), signed=st.booleans())
    @settings(
        max_examples=int(WANTED or FIXED_EXAMPLES),
        deadline=None,
        derandomize=WANTED is None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def send(case: schemathesis.Case[Any], signed: bool) -> None:
        is_from_provider = route.path == WEBHOOK and signed
        answer = case.call(
            base_url=game.url, headers=bearer, auth=sign if is_from_provider else None
        )
        case.validate_response(answer, checks=CHECKS)

    send()


def requests_to(route: Route, lobby_id: str) -> Iterator[st.SearchStrategy[schemathesis.Case[Any]]]:
    """Requests to any lobby, and to one that is there."""
    operation = SCHEMA[route.path][route.method.upper()]
    for mode in schemathesis.GenerationMode:
        yield operation.as_strategy(generation_mode=mode)
        if "{lobby_id}" in route.path:
            yield operation.as_strategy(
                generation_mode=mode, path_parameters={"lobby_id": lobby_id}
            )
