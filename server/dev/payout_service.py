"""A payment service for development: it pays with coins that do not exist, as an operator's would,
and fails in every way in which one could."""

import asyncio
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from protocol.payouts import KEY_HEADER, SIGNATURE_HEADER
from server.dev.keys import load_or_generate

PATH: Final = "/payouts"
PAYS_AFTER_SECONDS: Final = 1.0
LATE_SECONDS: Final = 30.0

Fault = Literal["late", "half", "twice", "nonsense", "lost", "unauthorized", "busy", "refused"]
"""`late`: the answer comes after 30 s. `half`: half of it, and the connection ends. `twice`: two of
them. `nonsense`: no valid one. `lost`: none. With these five the order is paid all the same. Not
so with `unauthorized`: 401; `busy`: 503 with `Retry-After`; `refused`: a refusal."""
FAULTS: Final[tuple[Fault, ...]] = get_args(Fault)


@dataclass(slots=True)
class Order:
    """What is to be paid: `body` as it was sent. It counts as paid, with `reference`, from
    `paid_at_s` on (the event loop's clock)."""

    body: dict[str, Any]
    paid_at_s: float
    reference: str


class DevPayoutService:
    """Pays orders that are signed with its key, `pays_after_seconds` after they came; 0: at once.
    An answer that is `late` takes `late_seconds`. The key and the orders are those that earlier
    runs left in `data_dir`; without one it begins with a new key and none.

    Each answer to a valid request has one of `faults`, at random, if there are any. `orders` are
    those that were taken, by payout id; `requests` are all, each as its method and payout id.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        *,
        pays_after_seconds: float = PAYS_AFTER_SECONDS,
        late_seconds: float = LATE_SECONDS,
    ) -> None:
        path = data_dir and data_dir / "payouts-ed25519.pem"
        self._key = load_or_generate(path, Ed25519PrivateKey.generate)
        self._file = data_dir and data_dir / "payouts.jsonl"
        self._pays_after_seconds = pays_after_seconds
        self._late_seconds = late_seconds
        self.faults: tuple[Fault, ...] = ()
        self.orders: dict[str, Order] = {}
        self.requests: list[tuple[str, str]] = []
        self._read()

    @property
    def key_hex(self) -> str:
        """The key that has to sign what is asked of it, as `PAYOUT_KEY` takes it."""
        return self._key.private_bytes_raw().hex()

    def application(self) -> web.Application:
        """The service, and `PUT /faults {"faults": [...]}`, which sets `faults` (400: the list of
        all)."""
        app = web.Application()
        app.router.add_post(PATH, self._pay)
        app.router.add_get(PATH + "/{payout_id}", self._look)
        app.router.add_put("/faults", self._set_faults)
        return app

    async def _pay(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        payout_id = request.headers.get(KEY_HEADER, "")
        self.requests.append(("POST", payout_id))
        if not self._is_signed(request, body):
            return _answer(401, {})
        order = json.loads(body)
        if order.get("payout_id") != payout_id:
            return _answer(422, {"reason": "the key is not that of the order"})
        known = self.orders.get(payout_id)
        if known is not None and known.body != order:
            return _answer(422, {"reason": "the key was used for another order"})
        return await self._with_fault(request, lambda: self._take(payout_id, order))

    async def _look(self, request: web.Request) -> web.StreamResponse:
        payout_id = request.match_info["payout_id"]
        self.requests.append(("GET", payout_id))
        if not self._is_signed(request, payout_id.encode()):
            return _answer(401, {})

        def found() -> web.Response:
            order = self.orders.get(payout_id)
            return _answer(404, {}) if order is None else self._state(order)

        return await self._with_fault(request, found)

    def _take(self, payout_id: str, body: dict[str, Any]) -> web.Response:
        order = self.orders.get(payout_id)
        if order is None:
            paid_at_s = asyncio.get_running_loop().time() + self._pays_after_seconds
            order = Order(body, paid_at_s, f"dev-{secrets.token_hex(8)}")
            self.orders[payout_id] = order
            self._write(order)
        return self._state(order)

    def _state(self, order: Order) -> web.Response:
        if asyncio.get_running_loop().time() < order.paid_at_s:
            return _answer(202, {"status": "pending"})
        return _answer(200, {"status": "sent", "reference": order.reference})

    async def _with_fault(
        self, request: web.Request, answer: Callable[[], web.Response]
    ) -> web.StreamResponse:
        fault = secrets.choice(self.faults) if self.faults else None
        match fault:
            case "unauthorized":
                return _answer(401, {})
            case "busy":
                return _answer(503, {}, {"Retry-After": "1"})
            case "refused":
                return _answer(200, {"status": "refused", "reason": "not today"})
        response = answer()  # from here on an order is taken
        match fault:
            case "late":
                await asyncio.sleep(self._late_seconds)
            case "nonsense":
                return web.Response(body=b'{"status": "sent", "reference": 7}')
            case "lost":
                _cut(request)
            case "half" | "twice":
                whole = _as_bytes(response)
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


def _answer(
    status: int, body: dict[str, Any], headers: dict[str, str] | None = None
) -> web.Response:
    return web.json_response(body, status=status, headers=headers)


def _as_bytes(answer: web.Response) -> bytes:
    body = answer.body if isinstance(answer.body, bytes) else b""
    head = f"HTTP/1.1 {answer.status} OK\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()
