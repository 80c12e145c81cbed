"""The HTTP routes of development."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import jwt
import pytest
from aiohttp import web

from protocol.views import Invoice
from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.dev.routes import DevRoutes
from tests.dev.test_provider import INVOICE
from tests.dev.webhook import WebhookReceiver
from tests.support.http import serve_app
from tests.support.wait import TIMEOUT_SECONDS


async def _find_invoice(invoice_id: str) -> Invoice | None:
    return Invoice.model_validate(INVOICE) if invoice_id == INVOICE["invoice_id"] else None


@asynccontextmanager
async def _client(
    issuer: DevIssuer, provider: DevProvider, receiver: WebhookReceiver
) -> AsyncIterator[httpx.AsyncClient]:
    app = web.Application()
    async with serve_app(receiver.app()) as webhook_url:
        routes = DevRoutes(
            issuer=issuer,
            provider=provider,
            find_invoice=_find_invoice,
            webhook_url=webhook_url,
        )
        routes.add_to(app)
        async with (
            serve_app(app) as url,
            httpx.AsyncClient(base_url=url, timeout=TIMEOUT_SECONDS) as client,
        ):
            yield client


@pytest.fixture
def receiver() -> WebhookReceiver:
    return WebhookReceiver()


@pytest.fixture
async def client(
    issuer: DevIssuer, provider: DevProvider, receiver: WebhookReceiver
) -> AsyncIterator[httpx.AsyncClient]:
    async with _client(issuer, provider, receiver) as client:
        yield client


async def test_anyone_gets_a_token_of_any_player(
    client: httpx.AsyncClient, issuer: DevIssuer
) -> None:
    answer = await client.post("/dev/token", json={"alien_id": "alice"})
    key = jwt.PyJWK.from_dict(issuer.keys["EdDSA"].public_jwk)
    token = answer.json()["token"]
    claims = jwt.decode(token, key, algorithms=["EdDSA"], audience=issuer.audience)
    assert claims["sub"] == "alice"


async def test_a_payment_reaches_the_webhook(
    client: httpx.AsyncClient, receiver: WebhookReceiver
) -> None:
    await client.post("/dev/pay", json={"invoice_id": INVOICE["invoice_id"]})
    assert b'"status": "finalized"' in receiver.bodies[0]


async def test_a_payment_can_be_made_to_fail(
    client: httpx.AsyncClient, receiver: WebhookReceiver
) -> None:
    wanted = {"invoice_id": INVOICE["invoice_id"], "outcome": "failed"}
    await client.post("/dev/pay", json=wanted)
    assert b'"status": "failed"' in receiver.bodies[0]


@pytest.mark.parametrize("status", [200, 404])
async def test_the_answer_of_the_webhook_is_passed_on(
    client: httpx.AsyncClient, receiver: WebhookReceiver, status: int
) -> None:
    receiver.statuses = [status]
    answer = await client.post("/dev/pay", json={"invoice_id": INVOICE["invoice_id"]})
    assert answer.status_code == status
    assert answer.json() == {"success": status == 200}


async def test_an_unknown_invoice_is_not_paid(
    client: httpx.AsyncClient, receiver: WebhookReceiver
) -> None:
    answer = await client.post("/dev/pay", json={"invoice_id": "inv_of_nobody"})
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_invoice")
    assert receiver.bodies == []


async def test_a_webhook_that_never_takes_it_is_unavailable(issuer: DevIssuer) -> None:
    provider = DevProvider(retry_delays_seconds=[])
    receiver = WebhookReceiver(statuses=[500])
    async with _client(issuer, provider, receiver) as client:
        answer = await client.post("/dev/pay", json={"invoice_id": INVOICE["invoice_id"]})
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/dev/token", b""),
        ("/dev/token", b"\xff"),
        ("/dev/token", b"[]"),
        ("/dev/token", b'{"alien_id": 7}'),
        ("/dev/token", b'{"alien_id": "not an id"}'),
        ("/dev/pay", b"{}"),
        ("/dev/pay", b'{"invoice_id": "inv_1", "outcome": "later"}'),
    ],
)
async def test_a_body_of_another_shape_is_an_invalid_message(
    client: httpx.AsyncClient, path: str, body: bytes
) -> None:
    answer = await client.post(path, content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_message")
    assert answer.headers["Content-Type"].startswith("application/problem+json")
