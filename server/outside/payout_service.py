"""The operator's payment service: what it is asked, and what its answers are taken for."""

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from yarl import URL

from protocol import strict_json
from protocol.payouts import KEY_HEADER, MAX_ANSWER_BYTES, SIGNATURE_HEADER
from server.outside.http_client import FAILURES, HttpClient, read_body
from server.rules.payouts import (
    Answer,
    Declined,
    NeverArrived,
    NotAdmitted,
    Paid,
    Pending,
    Step,
    Unclear,
)

_NOT_SETTLED: Final = frozenset({408, 409, 425, 429})
_NOT_ADMITTED: Final = frozenset({401, 403})
_LONGEST_REFERENCE: Final = 256
_LONGEST_REASON: Final = 500


class PayoutService:
    """The service at `url`; `key` signs what it is sent. An answer that is not whole after
    `timeout_seconds` is none."""

    def __init__(self, url: str, key: bytes, timeout_seconds: float, connections: int) -> None:
        self._url = URL(url)
        self._key = Ed25519PrivateKey.from_private_bytes(key)
        self._timeout_seconds = timeout_seconds
        self._client = HttpClient([url], {"Accept": "application/json"}, connections)

    async def send(self, payout_id: str, body: str) -> Answer:
        """Have a payout paid."""
        raw = body.encode()
        headers = {
            "Content-Type": "application/json",
            KEY_HEADER: payout_id,
            SIGNATURE_HEADER: self._signed(raw),
        }
        return await self._ask("send", payout_id, self._url, headers, raw)

    async def look(self, payout_id: str) -> Answer:
        """Ask what became of a payout."""
        path = f"{self._url.raw_path.rstrip('/')}/{payout_id}"
        url = self._url.with_path(path, encoded=True, keep_query=True)
        headers = {SIGNATURE_HEADER: self._signed(payout_id.encode())}
        return await self._ask("look", payout_id, url, headers, None)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _signed(self, message: bytes) -> str:
        return self._key.sign(message).hex()

    async def _ask(
        self, step: Step, payout_id: str, url: URL, headers: Mapping[str, str], raw: bytes | None
    ) -> Answer:
        method = "POST" if step == "send" else "GET"
        try:
            async with (
                asyncio.timeout(self._timeout_seconds),
                self._client.request(method, url, data=raw, headers=headers) as response,
            ):
                body = await read_body(response, MAX_ANSWER_BYTES)
        except FAILURES as error:
            return Unclear(f"no answer: {type(error).__name__}")
        return understood(step, payout_id, response.status, response.headers, body)


def understood(
    step: Step, payout_id: str, status: int, headers: Mapping[str, str], body: bytes
) -> Answer:
    """What an answer of HTTP means."""
    later_seconds = _retry_after_seconds(headers.get("Retry-After"))
    if status in (200, 201):
        return _by_word(payout_id, status, body, later_seconds)
    if status == 202:
        return Pending(later_seconds)
    if status == 404 and step == "look":
        return NeverArrived()
    if status in _NOT_ADMITTED or status == 404:
        return NotAdmitted(f"the payment service answers {status}", later_seconds)
    if 400 <= status < 500 and status not in _NOT_SETTLED:
        return Declined(_reason(body) or f"the payment service answers {status}", step == "send")
    return Unclear(f"the payment service answers {status}", later_seconds)


def _by_word(payout_id: str, status: int, body: bytes, later_seconds: float | None) -> Answer:
    answer = _object(body)
    if answer.get("payout_id", payout_id) != payout_id:
        return Unclear("the answer is about another payout", later_seconds)
    word, reference = answer.get("status"), answer.get("reference")
    if word == "sent" and isinstance(reference, str) and _is_reference(reference):
        return Paid(reference)
    if word == "pending" and status == 200:
        return Pending(later_seconds)
    if word == "refused" and status == 200:
        return Declined(_reason(body) or "no reason was given")
    return Unclear("the answer is none of those that there are", later_seconds)


def _is_reference(text: str) -> bool:
    return bool(text.strip()) and text.isprintable() and len(text) <= _LONGEST_REFERENCE


def _reason(body: bytes) -> str | None:
    reason = _object(body).get("reason")
    if not isinstance(reason, str) or not reason.strip():
        return None
    printable = "".join(letter if letter.isprintable() else " " for letter in reason)
    return printable[:_LONGEST_REASON]


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = strict_json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _retry_after_seconds(value: str | None) -> float | None:
    """Seconds from now, which the header has as such or as a date; None without a usable one."""
    if value is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", value):
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, OverflowError):  # the latter: of a zone that is far too far away
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())
