"""A server, and a payment provider that can say anything to it."""

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from multidict import CIMultiDict
from redis.asyncio import Redis

from protocol.payments import SIGNATURE_HEADER
from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.rules.coins import Coins, read_coins
from tests.support.http import http_session
from tests.support.store_content import Content, ledger, store_content
from tests.system.game_server import WEBHOOK, GameServer, HttpAnswer, running_app

PROCESSED = {"success": True, "processed": True}
FAILED_TOO_LATE = {"success": True, "processed": False}
REFUND_OWED = {"success": True, "processed": True, "reason": "refund_owed"}

# Of our form, for a lobby that never was.
NO_INVOICE = {
    "invoice_id": "inv_3500_000000000001_0000000000000001",
    "recipient": "00000001000000000000000000000000",
    "amount": "3500",
    "token": "ALIEN",
    "network": "alien",
}


def not_processed(reason: str) -> dict[str, Any]:
    """The answer to a delivery that is taken and changes no seat."""
    return {"success": True, "processed": False, "reason": reason}


ALREADY_PROCESSED = not_processed("already_processed")


class PaymentDesk:
    """Where deliveries come in, and what they leave behind in the store."""

    def __init__(self, server: GameServer, redis: Redis, http: aiohttp.ClientSession) -> None:
        self.server = server
        self._redis = redis
        self._http = http

    async def send(
        self,
        body: Any,
        signatures: Sequence[str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpAnswer:
        """POST a body (bytes, or an iterator of chunks) with these signatures; None: the right
        one over the bytes."""
        if signatures is None:
            signatures = [self.server.provider.sign(body)]
        sent = CIMultiDict(headers or {})
        for signature in signatures:
            sent.add(SIGNATURE_HEADER, signature)
        async with self._http.post(self.server.url + WEBHOOK, data=body, headers=sent) as answer:
            return HttpAnswer(
                answer.status, answer.content_type, await answer.json(), answer.headers
            )

    async def deliver(self, payload: Mapping[str, Any]) -> Any:
        """Deliver a payload, which has to be taken (200): the answer's body."""
        answer = await self.send(json.dumps(payload).encode())
        assert answer.status == 200, answer
        return answer.body

    def payment(self, invoice: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
        """The payload that pays an invoice as asked, but for `changes`; None: without the field."""
        changed = self.server.provider.payload(invoice) | changes
        return {name: value for name, value in changed.items() if value is not None}

    def failure(self, invoice: Mapping[str, Any]) -> dict[str, Any]:
        """The payload that says that an attempt to pay failed."""
        return self.server.provider.payload(invoice, "failed")

    async def invoice(self, name: str) -> Any:
        """The invoice of a seat that the player takes now, or has."""
        return (await self.server.join(name))["invoice"]

    async def status(self, lobby_id: str, name: str) -> Any:
        """The lobby as the player sees it."""
        answer = await self.server.get(f"/api/game/{lobby_id}/status", name)
        assert answer.status == 200, answer
        return answer.body

    async def own_invoice(self, lobby_id: str, name: str) -> tuple[str, str | None]:
        """Status of the player's invoice, and what is owed back of it."""
        invoice = (await self.status(lobby_id, name))["you"]["invoice"]
        return invoice["status"], invoice.get("owed")

    async def content(self) -> Content:
        """All that is in the store."""
        return await store_content(self._redis)

    async def has_forgotten(self, invoice_id: str) -> bool:
        """Whether nothing is known of an invoice any more."""
        return not await self._redis.exists(f"invoice:{{3500}}:{invoice_id}")

    async def ledger(self) -> list[dict[str, str]]:
        """All entries of the ledger, oldest first."""
        return await ledger(self._redis, "3500")

    async def sums(self) -> dict[str, Coins]:
        """The ledger's coins by kind."""
        sums: defaultdict[str, Coins] = defaultdict(int)
        for entry in await self.ledger():
            sums[entry["kind"]] += read_coins(entry["amount"])
        return dict(sums)

    async def unmatched(self) -> dict[str, str]:
        """What was kept because it matched nothing."""
        found: Any = await self._redis.hgetall("unmatched")
        return dict(found)

    async def assert_balanced(self) -> None:
        """Whatever came in is somewhere."""
        sums = await self.sums()
        received = sums.pop("received", 0)
        sums.pop("settled", None)
        assert received == sum(sums.values())


@asynccontextmanager
async def open_desk(
    store_url: str, issuer: DevIssuer, provider: DevProvider, **changes: str
) -> AsyncIterator[PaymentDesk]:
    """A desk of a server in this process; `changes` are variables of its environment. In the end
    the ledger has to balance."""
    variables = {"HTTP_RATE": "0"} | changes
    async with (
        running_app(store_url, issuer, provider, **variables) as server,
        Redis.from_url(store_url, decode_responses=True) as redis,
        http_session() as http,
    ):
        desk = PaymentDesk(server, redis, http)
        yield desk
        await desk.assert_balanced()


async def assert_changes_nothing(
    desk: PaymentDesk, payload: Mapping[str, Any], answer: Mapping[str, Any]
) -> None:
    """A delivery gets this answer and leaves everything in the store as it was."""
    before = await desk.content()
    assert await desk.deliver(payload) == answer
    assert await desk.content() == before


async def body_of_seat(desk: PaymentDesk, size_bytes: int = 0) -> bytes:
    """A body that pays the seat of alice, who sits down; padded to this size."""
    payload = desk.payment(await desk.invoice("alice"))
    missing = size_bytes - len(json.dumps(payload | {"padding": ""}))
    if missing > 0:
        payload["padding"] = "x" * missing
    return json.dumps(payload).encode()
