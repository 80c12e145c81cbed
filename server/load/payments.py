"""Paying invoices: by the development provider, or by webhooks that are signed here."""

from collections.abc import Mapping
from typing import Any, Protocol

import aiohttp
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from protocol.payments import PATH, SIGNATURE_HEADER
from server.load.failures import RequestRefused
from server.load.http import post, post_json


class Payer(Protocol):
    """Pays invoices."""

    async def pay(self, invoice: Mapping[str, Any]) -> None:
        """Pay an invoice, so that the server knows. Raises RequestRefused."""
        ...


class DevPayments:
    """Has the provider of the development server pay."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self._url = f"{url}/dev/pay"
        self._http = http

    async def pay(self, invoice: Mapping[str, Any]) -> None:
        """Pay an invoice, so that the server knows. Raises RequestRefused."""
        answer = await post_json(self._http, self._url, {"invoice_id": invoice["invoice_id"]})
        _check(answer)


class SignedWebhooks:
    """Delivers the provider's webhook, signed with its Ed25519 key."""

    def __init__(self, url: str, key: Ed25519PrivateKey, http: aiohttp.ClientSession) -> None:
        self._url = url + PATH
        self._key = key
        self._http = http

    async def pay(self, invoice: Mapping[str, Any]) -> None:
        """Pay an invoice, so that the server knows. Raises RequestRefused."""
        delivery = {
            "invoice": invoice["invoice_id"],
            "status": "finalized",
            "recipient": invoice["recipient"],
            "txHash": f"load-{invoice['invoice_id']}",  # a repetition is the same payment
            "amount": invoice["amount"],
            "token": invoice["token"],
            "network": invoice["network"],
        }
        body = orjson.dumps(delivery)
        signature = {SIGNATURE_HEADER: self._key.sign(body).hex()}
        _check(await post(self._http, self._url, body, signature))


def _check(answer: Mapping[str, Any]) -> None:
    """A delivery that was taken may still not have paid the seat."""
    reason = answer.get("reason")
    if reason not in (None, "already_processed"):
        raise RequestRefused(f"payment_{reason}", may_pass=False)
