"""`POST /api/webhooks/payment`: the payment provider reports what became of an invoice."""

import asyncio
from collections.abc import Callable, Iterable
from functools import cache
from typing import Final

import structlog
from aiohttp import web
from structlog.contextvars import bind_contextvars

from protocol.errors import ErrorCode, Refused
from protocol.payments import MAX_BODY_BYTES, SIGNATURE_HEADER, VERSION_HEADER
from server.rules.payments import Delivery
from server.runtime.ed25519 import verifier
from server.runtime.metrics import Metrics
from server.services.payments import Payments
from server.store.errors import StoreUnavailable
from server.transport.concurrency import ConcurrencyLimiter
from server.transport.http.alien_payments import read_delivery
from server.transport.http.requests import json_response, read_body
from server.transport.problems import problem

STORE_SECONDS: Final = 5.0
_SIGNATURE_HEX_DIGITS: Final = 128

log = structlog.get_logger(__name__)


class Webhook:
    """Takes deliveries that are signed with one of `public_keys` (32 bytes each), as long as
    `may_take` says that the store is known to keep them."""

    def __init__(
        self,
        payments: Payments,
        public_keys: Iterable[bytes],
        may_take: Callable[[], bool],
        limiter: ConcurrencyLimiter,
        metrics: Metrics,
    ) -> None:
        self._payments = payments
        self._limiter = limiter
        self._counted = cache(metrics.payment_deliveries.labels)
        self._may_take = may_take
        self._verifiers = [verifier(key) for key in public_keys]

    def add_to(self, app: web.Application) -> None:
        """Serve the route on `app`."""
        app.router.add_post("/api/webhooks/payment", self._deliver)

    async def _deliver(self, request: web.Request) -> web.StreamResponse:
        body = await _read_body(request)
        if isinstance(body, Refused):
            self._count(body.code)
            return problem(body)
        if not self._is_signed(body, request.headers.getall(SIGNATURE_HEADER, [])):
            self._count(ErrorCode.UNAUTHORIZED)
            return problem(Refused(ErrorCode.UNAUTHORIZED), "The signature is missing or wrong.")
        delivery = read_delivery(body, request.headers.getall(VERSION_HEADER, []))
        if delivery is None:
            log.warning("delivery_not_understood", body_bytes=len(body))
            self._count(ErrorCode.INVALID_MESSAGE)
            return problem(Refused(ErrorCode.INVALID_MESSAGE))
        bind_contextvars(invoice_id=delivery.invoice_id)
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
        return json_response(answer.model_dump())

    def _assert_store_is_trusted(self) -> None:
        if not self._may_take():
            raise StoreUnavailable("it is not known whether the store keeps what it takes")

    def _count(self, outcome: str) -> None:
        self._counted(outcome).inc()

    def _is_signed(self, body: bytes, signatures: list[str]) -> bool:
        if len(signatures) != 1 or len(signatures[0]) != _SIGNATURE_HEX_DIGITS:
            return False
        try:
            signature = bytes.fromhex(signatures[0])
        except ValueError:
            return False
        return any(verify(signature, body) for verify in self._verifiers)


async def _read_body(request: web.Request) -> bytes | Refused:
    """The body as it was signed. The provider sends it as it is and says no more of it: one that
    names even `identity` is not its own."""
    if "Content-Encoding" in request.headers:
        return Refused(ErrorCode.UNSUPPORTED_ENCODING)
    return await read_body(request, MAX_BODY_BYTES)
