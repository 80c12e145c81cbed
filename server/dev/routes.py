"""The HTTP routes of development: a token for any player, a payment of any invoice."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from protocol.errors import ErrorCode, Refused
from protocol.ids import AlienId
from server.dev.issuer import DevIssuer
from server.dev.provider import DeliveryFailedError, DevProvider, Outcome
from server.transport.problems import problem

FindInvoice = Callable[[str], Awaitable[Mapping[str, Any] | None]]


class TokenRequest(BaseModel):
    """Asks for a token of a player."""

    model_config = ConfigDict(extra="forbid", strict=True)

    alien_id: AlienId


class PayRequest(BaseModel):
    """Asks for an attempt to pay an invoice, and how it shall end."""

    model_config = ConfigDict(extra="forbid", strict=True)

    invoice_id: str
    outcome: Outcome = "paid"


Body = TypeVar("Body", bound=BaseModel)


def add_dev_routes(
    app: web.Application,
    *,
    issuer: DevIssuer,
    provider: DevProvider,
    find_invoice: FindInvoice,
    webhook_url: str,
    beacon_keys: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Add `POST /dev/token {alien_id}`, which answers `{token}`, and `POST /dev/pay {invoice_id,
    outcome?}`, which answers what the webhook at `webhook_url` answered to the provider.

    `GET /dev/beacon` answers `beacon_keys`, the public key of the beacon by the hash of its chain.

    `find_invoice` gives the invoice of an id as players get it, or None.
    """

    async def give_token(request: web.Request) -> web.Response:
        wanted = await _parse(TokenRequest, request)
        if wanted is None:
            return problem(Refused(ErrorCode.INVALID_MESSAGE))
        return web.json_response({"token": issuer.token(wanted.alien_id)})

    async def pay(request: web.Request) -> web.Response:
        wanted = await _parse(PayRequest, request)
        if wanted is None:
            return problem(Refused(ErrorCode.INVALID_MESSAGE))
        invoice = await find_invoice(wanted.invoice_id)
        if invoice is None:
            return problem(Refused(ErrorCode.UNKNOWN_INVOICE))
        try:
            answer = await provider.pay(webhook_url, invoice, wanted.outcome)
        except DeliveryFailedError:
            return problem(Refused(ErrorCode.UNAVAILABLE))
        content_type = {"Content-Type": answer.headers["Content-Type"]}
        return web.Response(status=answer.status_code, body=answer.content, headers=content_type)

    async def tell_beacon(_: web.Request) -> web.Response:
        return web.json_response(dict(beacon_keys))

    app.router.add_get("/dev/beacon", tell_beacon)
    app.router.add_post("/dev/token", give_token)
    app.router.add_post("/dev/pay", pay)


async def _parse(model: type[Body], request: web.Request) -> Body | None:
    try:
        return model.model_validate_json(await request.read())
    except ValidationError:
        return None
