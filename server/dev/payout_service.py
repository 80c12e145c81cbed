"""A payment service for development: it pays with coins that do not exist, as an operator's would,
and fails in every way in which one could."""

import asyncio
import json
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, get_args

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from protocol.payouts import KEY_HEADER, SIGNATURE_HEADER
from server.dev.keys import kept_key

PATH: Final = "/payouts"
PAYS_AFTER_SECONDS: Final = 1.0
LATE_SECONDS: Final = 30.0

Fault = Literal["late", "half", "twice", "nonsense", "lost", "unauthorized", "busy", "refused"]
"""An answer after 30 s; half of one; two at once; nonsense; none at all; 401; 503 with Retry-After;
a refusal. With the first five it is paid all the same."""
FAULTS: Final[tuple[Fault, ...]] = get_args(Fault)


@dataclass(slots=True)
class Order:
    """What is to be paid; `paid_at_s` is by the loop's clock."""

    body: dict[str, Any]
    paid_at_s: float
    reference: str


@dataclass(slots=True)
class Requests:
    """What was asked of it, and how it answered: by its method and status."""

    log: list[tuple[str, str]] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)


class DevPayoutService:
    """Pays whatever is signed by its key, `pays_after_seconds` after it was asked to; 0: at once.
    The key is kept in `data_dir`, and so is what was paid; without one both are new.

    `faults` are what happens to the next answers, each with the same chance; none: all is well.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        *,
        pays_after_seconds: float = PAYS_AFTER_SECONDS,
        late_seconds: float = LATE_SECONDS,
    ) -> None:
        path = data_dir and data_dir / "payouts-ed25519.pem"
        self._key = kept_key(path, Ed25519PrivateKey.generate)
        self._file = data_dir and data_dir / "payouts.jsonl"
        self._pays_after_seconds = pays_after_seconds
        self._late_seconds = late_seconds
        self.faults: tuple[Fault, ...] = ()
        self.orders: dict[str, Order] = {}
        self.requests = Requests()
        self._read()

    @property
    def key_hex(self) -> str:
        """The key that has to sign what is asked of it, as `PAYOUT_KEY` takes it."""
        return self._key.private_bytes_raw().hex()

    def application(self) -> web.Application:
        """The service, and `PUT /faults {"faults": [...]}`."""
        app = web.Application()
        app.router.add_post(PATH, self._pay)
        app.router.add_get(PATH + "/{payout_id}", self._look)
        app.router.add_put("/faults", self._set_faults)
        return app

    async def _pay(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        payout_id = request.headers.get(KEY_HEADER, "")
        self.requests.log.append(("POST", payout_id))
        if not self._is_signed(request, body):
            return self._answer(401, {})
        order = json.loads(body)
        if order.get("payout_id") != payout_id:
            return self._answer(422, {"reason": "the key is not that of the order"})
        known = self.orders.get(payout_id)
        if known is not None and known.body != order:
            return self._answer(422, {"reason": "the key was used for another order"})
        return await self._faulty(request, lambda: self._taken(payout_id, order))

    async def _look(self, request: web.Request) -> web.StreamResponse:
        payout_id = request.match_info["payout_id"]
        self.requests.log.append(("GET", payout_id))
        if not self._is_signed(request, payout_id.encode()):
            return self._answer(401, {})

        def found() -> web.Response:
            order = self.orders.get(payout_id)
            return self._answer(404, {}) if order is None else self._state(order)

        return await self._faulty(request, found)

    def _taken(self, payout_id: str, body: dict[str, Any]) -> web.Response:
        order = self.orders.get(payout_id)
        if order is None:
            paid_at_s = asyncio.get_running_loop().time() + self._pays_after_seconds
            order = Order(body, paid_at_s, f"dev-{secrets.token_hex(8)}")
            self.orders[payout_id] = order
            self._write(order)
        return self._state(order)

    def _state(self, order: Order) -> web.Response:
        if asyncio.get_running_loop().time() < order.paid_at_s:
            return self._answer(202, {"status": "pending"})
        return self._answer(200, {"status": "sent", "reference": order.reference})

    async def _faulty(
        self, request: web.Request, answer: Callable[[], web.Response]
    ) -> web.StreamResponse:
        fault = secrets.choice(self.faults) if self.faults else None
        match fault:
            case "unauthorized":
                return self._answer(401, {})
            case "busy":
                return self._answer(503, {}, {"Retry-After": "1"})
            case "refused":
                return self._answer(200, {"status": "refused", "reason": "not today"})
        response = answer()
        match fault:
            case "late":
                await asyncio.sleep(self._late_seconds)
            case "nonsense":
                return web.Response(body=b'{"status": "sent", "reference": 7}')
            case "lost":
                _cut(request)
            case "half" | "twice":
                whole = _as_text(response)
                part = whole[: len(whole) // 2] if fault == "half" else whole * 2
                if request.transport is not None:
                    request.transport.write(part)
                _cut(request)
        return response

    async def _set_faults(self, request: web.Request) -> web.Response:
        wanted = (await request.json())["faults"]
        if not set(wanted) <= set(FAULTS):
            return web.json_response({"faults": FAULTS}, status=400)
        self.faults = tuple(wanted)
        return web.json_response({"faults": self.faults})

    def _answer(
        self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None
    ) -> web.Response:
        self.requests.answers[str(status)] += 1
        return web.json_response(body, status=status, headers=headers)

    def _is_signed(self, request: web.Request, message: bytes) -> bool:
        try:
            signature = bytes.fromhex(request.headers.get(SIGNATURE_HEADER, ""))
            self._key.public_key().verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True

    def _read(self) -> None:
        if self._file is not None and self._file.exists():
            for line in self._file.read_text().splitlines():
                kept = json.loads(line)
                self.orders[kept["order"]["payout_id"]] = Order(kept["order"], 0, kept["reference"])

    def _write(self, order: Order) -> None:
        if self._file is not None:
            with self._file.open("a") as file:
                print(json.dumps({"order": order.body, "reference": order.reference}), file=file)


def _as_text(answer: web.Response) -> bytes:
    body = answer.body if isinstance(answer.body, bytes) else b""
    head = f"HTTP/1.1 {answer.status} OK\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()
