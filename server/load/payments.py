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
    """Pays invoices, which are as the server sends them to players."""

    async def pay(self, invoice: Mapping[str, Any]) -> None:
        """Return when the server has taken the payment. Raises RequestRefused."""
        ...


class DevPayments:
    """Has the payment provider of the development server at `url` pay."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self._url = f"{url}/dev/pay"
        self._http = http

    async def pay(self, invoice: Mapping[str, Any]) -> None:
        """Return when the server has taken the payment. Raises RequestRefused."""
        answer = await post_json(self._http, self._url, {"invoice_id": invoice["invoice_id"]})
        _raise_unless_taken(answer)


class SignedWebhooks:
    """Delivers the provider's webhook to the server at `url`, signed with the provider's key."""

    def __init__(self, url: str, key: Ed25519PrivateKey, http: aiohttp.ClientSession) -> None:
        self._url = url + PATH
        self._key = key
        self._http = http

    async def pay(self, invoice: Mapping[str, Any]) -> None:
        """Return when the server has taken the payment. Raises RequestRefused."""
        delivery = {
            "invoice": invoice["invoice_id"],
            "status": "finalized",
            "recipient": invoice["recipient"],
            "txHash": f"load-{invoice['invoice_id']}",  # the same when it is repeated
            "amount": invoice["amount"],
            "token": invoice["token"],
            "network": invoice["network"],
        }
        body = orjson.dumps(delivery)
        signature = {SIGNATURE_HEADER: self._key.sign(body).hex()}
        _raise_unless_taken(await post(self._http, self._url, body, signature))


def _raise_unless_taken(answer: Mapping[str, Any]) -> None:
    """Raise RequestRefused for a webhook's answer (200) that says that the seat is not paid."""
    reason = answer.get("reason")
    if reason not in (None, "already_processed"):
        raise RequestRefused(f"payment_{reason}", retry=False)
