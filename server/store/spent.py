"""What players have paid, beside the ledger of each table: each payment once, for as long as it
counts against a limit that its player may have."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from server.rules.coins import Coins, coins_text, read_coins
from server.rules.limits import LONGEST_MS
from server.store import keys
from server.store.errors import NotUnderstood


@dataclass(frozen=True, slots=True)
class Received:
    """A payment of a player, as the ledger of `table` has it at `at_ms` (Unix ms)."""

    table: str
    alien_id: str
    at_ms: float
    amount: Coins
    invoice_id: str
    event: str


def spent_writes(payment: Received) -> Iterable[tuple[Any, ...]]:
    """What a payment writes beside its entry in the ledger."""
    key = keys.spent(payment.table, payment.alien_id)
    yield ("ZADD", key, payment.at_ms, _member(payment))
    yield ("ZREMRANGEBYSCORE", key, "-inf", payment.at_ms - LONGEST_MS)
    yield ("PEXPIRE", key, LONGEST_MS)


def forgotten(payment: Received) -> tuple[Any, ...]:
    """The write that takes a payment out."""
    return ("ZREM", keys.spent(payment.table, payment.alien_id), _member(payment))


def read_spent(table: str, alien_id: str, member: str) -> Received:
    """The payment behind a member of a player's key. Raises NotUnderstood."""
    try:
        at_ms, coins, invoice_id, event = orjson.loads(member)
        return Received(table, alien_id, float(at_ms), read_coins(coins), invoice_id, event)
    except (TypeError, ValueError):
        raise NotUnderstood(f"a payment in {keys.spent(table, alien_id)}: {member!r}") from None


def received_of(table: str, fields: Mapping[str, str]) -> Received | None:
    """The payment of a player that an entry of the ledger records; None if it records none."""
    if fields.get("kind") != "received" or not fields.get("alien_id"):
        return None
    try:
        return Received(
            table,
            fields["alien_id"],
            float(fields["at"]),
            read_coins(fields["amount"]),
            fields.get("invoice_id", ""),
            fields.get("event", ""),
        )
    except (LookupError, ValueError):
        return None  # the audit names it


def _member(payment: Received) -> str:
    # With its time: a payment may be found in an entry of the ledger as well, and is the same then.
    named = [payment.at_ms, coins_text(payment.amount), payment.invoice_id, payment.event]
    return orjson.dumps(named).decode()
