"""A payment provider for development: it signs its webhooks and repeats them, like a real one."""

import asyncio
import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from protocol.payments import SIGNATURE_HEADER
from server.dev.keys import load_or_generate

RETRY_DELAYS_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0)
DELIVERY_TIMEOUT_SECONDS = 10

Outcome = Literal["paid", "failed"]


class DeliveryFailedError(Exception):
    """A webhook was not taken, nor any of its repetitions."""


class DevProvider:
    """Pays any invoice it is asked to, with coins that do not exist.

    The Ed25519 key is that which earlier runs left in `data_dir`; without one it is new. A coin has
    10 to the power of `decimals` of the token's smallest unit, in which amounts are. A delivery
    that is not taken is repeated after each of `retry_delays_seconds`.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        *,
        decimals: int = 0,
        retry_delays_seconds: Sequence[float] = RETRY_DELAYS_SECONDS,
    ) -> None:
        self._key = load_or_generate(
            data_dir and data_dir / "provider-ed25519.pem", Ed25519PrivateKey.generate
        )
        self._decimals = decimals
        self._retry_delays_seconds = retry_delays_seconds
        # Making a TLS context takes longer than a delivery, so all share one.
        self._tls = httpx.create_ssl_context(trust_env=False)

    @property
    def public_key_hex(self) -> str:
        """The key to verify its webhooks with, as `WEBHOOK_PUBLIC_KEY` takes it."""
        return self._key.public_key().public_bytes_raw().hex()

    def sign(self, body: bytes) -> str:
        """The Ed25519 signature over exactly these bytes, in hex."""
        return self._key.sign(body).hex()

    def payload(self, invoice: Mapping[str, Any], outcome: Outcome = "paid") -> dict[str, Any]:
        """The webhook's body that reports the outcome of a new attempt to pay `invoice`."""
        return {
            "invoice": invoice["invoice_id"],
            "status": "finalized" if outcome == "paid" else "failed",
            "recipient": invoice["recipient"],
            "txHash": secrets.token_hex(32),
            "amount": str(invoice["amount"]),
            "decimals": self._decimals,
            "token": invoice["token"],
            "network": invoice["network"],
        }

    async def pay(
        self, url: str, invoice: Mapping[str, Any], outcome: Outcome = "paid"
    ) -> httpx.Response:
        """Make an attempt to pay `invoice`, as the server sends it to players, and deliver its
        outcome to `url`. Returns and raises as `deliver` does."""
        return await self.deliver(url, self.payload(invoice, outcome))

    async def deliver(self, url: str, payload: Mapping[str, Any]) -> httpx.Response:
        """POST the signed payload to `url`, the same bytes again while the server fails (5xx) or
        cannot be reached. Returns its answer, which may be a refusal (4xx).

        Raises DeliveryFailedError if the last repetition was not taken either.
        """
        body = json.dumps(payload).encode()
        headers = {SIGNATURE_HEADER: self.sign(body), "Content-Type": "application/json"}
        async with httpx.AsyncClient(
            verify=self._tls, trust_env=False, timeout=DELIVERY_TIMEOUT_SECONDS
        ) as client:
            for delay_seconds in (0, *self._retry_delays_seconds):
                await asyncio.sleep(delay_seconds)
                answer = await _post(client, url, body, headers)
                if answer is not None and not answer.is_server_error:
                    return answer
        raise DeliveryFailedError(f"{url} did not take the webhook")


async def _post(
    client: httpx.AsyncClient, url: str, body: bytes, headers: Mapping[str, str]
) -> httpx.Response | None:
    try:
        return await client.post(url, content=body, headers=headers)
    except httpx.TransportError:
        return None
