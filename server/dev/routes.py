"""The HTTP routes of development: a token for any player, a payment of any invoice."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from protocol.errors import ErrorCode, Refused
from protocol.ids import AlienId
from protocol.views import Invoice
from server.dev.issuer import DevIssuer
from server.dev.provider import DeliveryFailedError, DevProvider, Outcome
from server.transport.problems import problem

FindInvoice = Callable[[str], Awaitable[Invoice | None]]


class TokenRequest(BaseModel):
    """Asks for a token of a player."""

    model_config = ConfigDict(extra="forbid", strict=True)

    alien_id: AlienId


class PayRequest(BaseModel):
    """Asks for an attempt to pay an invoice, with this outcome."""

    model_config = ConfigDict(extra="forbid", strict=True)

    invoice_id: str
    outcome: Outcome = "paid"


Body = TypeVar("Body", bound=BaseModel)


class DevRoutes:
    """`POST /dev/token {alien_id}` answers `{token}`; `POST /dev/pay {invoice_id, outcome?}` has
    the provider deliver its webhook to `webhook_url`, and answers what that answered;
    `GET /dev/beacon` answers `beacon_keys`, public keys of beacons by the hash of their chains.

    `find_invoice` gives the invoice with an id, or None.
    """

    def __init__(
        self,
        *,
        issuer: DevIssuer,
        provider: DevProvider,
        find_invoice: FindInvoice,
        webhook_url: str,
        beacon_keys: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._issuer = issuer
        self._provider = provider
        self._find_invoice = find_invoice
        self._webhook_url = webhook_url
        self._beacon_keys = beacon_keys

    def add_to(self, app: web.Application) -> None:
        """Serve the routes on `app`."""
        app.router.add_get("/dev/beacon", self._get_beacon_keys)
        app.router.add_post("/dev/token", self._issue_token)
        app.router.add_post("/dev/pay", self._pay)

    async def _issue_token(self, request: web.Request) -> web.Response:
        wanted = await _parse(TokenRequest, request)
        if wanted is None:
            return problem(Refused(ErrorCode.INVALID_MESSAGE))
        return web.json_response({"token": self._issuer.token(wanted.alien_id)})

    async def _pay(self, request: web.Request) -> web.Response:
        wanted = await _parse(PayRequest, request)
        if wanted is None:
            return problem(Refused(ErrorCode.INVALID_MESSAGE))
        invoice = await self._find_invoice(wanted.invoice_id)
        if invoice is None:
            return problem(Refused(ErrorCode.UNKNOWN_INVOICE))
        payable: dict[str, Any] = invoice.model_dump()
        try:
            answer = await self._provider.pay(self._webhook_url, payable, wanted.outcome)
        except DeliveryFailedError:
            return problem(Refused(ErrorCode.UNAVAILABLE))
        content_type = {"Content-Type": answer.headers["Content-Type"]}
        return web.Response(status=answer.status_code, body=answer.content, headers=content_type)

    async def _get_beacon_keys(self, _: web.Request) -> web.Response:
        return web.json_response(dict(self._beacon_keys))


async def _parse(model: type[Body], request: web.Request) -> Body | None:
    """The request's body; None if it is not of that shape."""
    try:
        return model.model_validate_json(await request.read())
    except ValidationError:
        return None
