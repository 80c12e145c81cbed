"""The webhook: a payment provider reports what became of an invoice."""

import asyncio
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final, Protocol

import orjson
import structlog
from aiohttp import web
from multidict import CIMultiDictProxy

from protocol.errors import ErrorCode, Refused
from protocol.payments import MAX_BODY_BYTES, WebhookAnswer
from server.rules.payments import Delivery
from server.runtime.log_context import bind_ids
from server.runtime.metrics import Metrics
from server.services.payments import Payments
from server.store.errors import StoreUnavailable
from server.transport.concurrency import ConcurrencyLimiter
from server.transport.http.prepared import PreparedResponse, add_direct_post
from server.transport.http.requests import read_body
from server.transport.problems import problem

STORE_SECONDS: Final = 5.0
_DETAILS: Final[Mapping[ErrorCode, str]] = {
    ErrorCode.UNAUTHORIZED: "The signature is missing or wrong."
}

log = structlog.get_logger(__name__)


class PaymentProvider(Protocol):
    """What is one provider's own: where it delivers, how it signs, and what its words mean."""

    @property
    def path(self) -> str:
        """The path of its webhook."""
        ...

    def read(self, body: bytes, headers: CIMultiDictProxy[str]) -> Delivery | Refused:
        """The delivery; refused if it is not signed by the provider, or not understood."""
        ...


class Webhook:
    """Takes a provider's deliveries, as long as `may_take`: the store is known to keep them."""

    def __init__(
        self,
        provider: PaymentProvider,
        payments: Payments,
        may_take: Callable[[], bool],
        limiter: ConcurrencyLimiter,
        metrics: Metrics,
    ) -> None:
        self._provider = provider
        self._payments = payments
        self._limiter = limiter
        self._counted = cache(metrics.payment_deliveries.labels)
        self._may_take = may_take

    def add_to(self, app: web.Application) -> None:
        """Serve the route on `app`."""
        add_direct_post(app, self._provider.path, self._deliver)

    async def _deliver(self, request: web.Request) -> web.StreamResponse:
        body = await _read_body(request)
        if isinstance(body, Refused):
            self._count(body.code)
            return problem(body)
        delivery = self._provider.read(body, request.headers)
        if isinstance(delivery, Refused):
            if delivery.code is ErrorCode.INVALID_MESSAGE:
                log.warning("delivery_not_understood", body_bytes=len(body))
            self._count(delivery.code)
            return problem(delivery, _DETAILS.get(delivery.code))
        bind_ids(invoice_id=delivery.invoice_id)
        return await self._record(delivery, body)

    async def _record(self, delivery: Delivery, body: bytes) -> web.StreamResponse:
        self._assert_store_is_trusted()
        try:
            async with asyncio.timeout(STORE_SECONDS), self._limiter.turn(delivery.invoice_id):
                answer = await self._payments.deliver(delivery, body)
        except TimeoutError as error:
            raise StoreUnavailable("the delivery was not stored in time") from error
        self._assert_store_is_trusted()  # it may have been on a new connection, to another store
        if isinstance(answer, Refused):
            log.warning("delivery_refused", code=answer.code)
            self._count(answer.code)
            return problem(answer)
        self._count(answer.reason or ("processed" if answer.processed else "ignored"))
        log.info(
            "delivery_recorded",
            status=delivery.status,
            processed=answer.processed,
            reason=answer.reason,
        )
        return PreparedResponse(_json(answer))

    def _assert_store_is_trusted(self) -> None:
        if not self._may_take():
            raise StoreUnavailable("it is not known whether the store keeps what it takes")

    def _count(self, outcome: str) -> None:
        self._counted(outcome).inc()


@cache  # there are a dozen of them
def _json(answer: WebhookAnswer) -> bytes:
    return orjson.dumps(answer.model_dump())


async def _read_body(request: web.Request) -> bytes | Refused:
    """The body as it was signed. The provider sends it as it is and says no more of it: one that
    names even `identity` is not its own."""
    if "Content-Encoding" in request.headers:
        return Refused(ErrorCode.UNSUPPORTED_ENCODING)
    return await read_body(request, MAX_BODY_BYTES)
