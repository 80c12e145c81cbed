"""What became of payments: the ledger, the invoices, what was kept aside; and what to answer."""

from collections import defaultdict
from typing import Any

from redis.asyncio import Redis

from protocol.payments import WebhookAnswer
from server.rules.coins import Coins, read_coins
from server.services.seats import Seated
from server.store import keys
from tests.support.game import BUY_IN, TABLE, Node
from tests.support.store_content import command, ledger

PROCESSED = WebhookAnswer(processed=True)
REFUND_OWED = WebhookAnswer(processed=True, reason="refund_owed")
SEAT_PAID = {"received": BUY_IN, "pot": BUY_IN}
OWED_BACK = {"received": BUY_IN, "refund_owed": BUY_IN}


def ignored(reason: Any) -> WebhookAnswer:
    """The answer to a delivery that was not processed for this reason."""
    return WebhookAnswer(processed=False, reason=reason)


async def sums(redis: Redis) -> dict[str, Coins]:
    """What the ledger adds up to, by kind; kinds that come to nothing are left out."""
    totals: defaultdict[str, Coins] = defaultdict(int)
    for entry in await ledger(redis, TABLE):
        totals[entry["kind"]] += read_coins(entry["amount"])
    return {kind: total for kind, total in totals.items() if total}


async def unmatched(redis: Redis) -> dict[str, str]:
    """The raw bodies that were kept aside, by transaction."""
    found: dict[str, str] = await command(redis, "HGETALL", keys.UNMATCHED)
    return found


async def invoice_now(node: Node, seated: Seated) -> tuple[str, str | None]:
    """The status of a seat's invoice, and what is owed back for it."""
    invoice = await node.billing.invoice(seated.invoice.invoice_id)
    assert invoice is not None
    return invoice.status, invoice.owed


async def is_paid(node: Node, seated: Seated, alien_id: str = "ann") -> bool:
    """Whether a player holds a paid seat in the lobby of `seated`."""
    lobby = (await node.store.load(seated.lobby.lobby_id)).lobby
    assert lobby is not None
    return alien_id in lobby.players and lobby.players[alien_id].paid


async def is_gone(redis: Redis, key: str) -> bool:
    """Whether there is no such key."""
    return bool(await redis.exists(key) == 0)
