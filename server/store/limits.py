"""What players set for themselves, and what counts against it.

What was paid stands beside the ledger of each table, written in the same step as the entry: so
nothing is counted twice, and nothing is missed. With the books it leaves the store with its entry,
but for players who have limits (`keys.LIMITED`): theirs stays until it no longer counts.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from protocol.ids import is_lobby_id, lobby_table
from server.rules.coins import Coins
from server.rules.limits import LONGEST_MS, Limits, Spending
from server.store import codec, keys
from server.store.commits import NO_DECISION, Check, Commits
from server.store.connection import Connection
from server.store.errors import NotUnderstood
from server.store.projection import Write
from server.store.spent import Received, read_spent, spent_writes

LAPSING_MS: Final = 8_000
"""So long at most a seat counts whose time is over and that nobody has ended yet."""
LOCK_MS: Final = 10_000
"""How long one attempt to take a seat may keep others of the same player waiting, also if its
process died."""
_LIMITS: Final = codec.HashCodec(Limits)


@dataclass(frozen=True, slots=True)
class StoredLimits:
    """A player's limits, which they have had since `since_ms` (Unix ms; 0: for long). `version` is
    of what is stored; `complete`: all that was paid before they were set has been looked up and
    counts."""

    limits: Limits
    version: str
    complete: bool
    since_ms: float = 0


@dataclass(frozen=True, slots=True)
class HeldSeat:
    """A seat in a forming lobby, paid or to be paid still."""

    lobby_id: str
    buy_in_amount: int
    paid: bool
    lapsed: bool = False
    """Its time is over, but nobody has ended it yet, and so a payment that comes now is taken."""


class LimitsStore:
    """The limits of players and what counts against them."""

    def __init__(self, connection: Connection, commits: Commits) -> None:
        self._connection = connection
        self._commits = commits

    async def is_limited(self, alien_id: str) -> bool:
        """Whether the player ever set themselves limits. Raises StoreUnavailable."""
        # Not by the set of all: in a cluster that is in one place, and nobody could do without it.
        return bool(await self._connection.call("EXISTS", keys.limits(alien_id)))

    async def load(self, alien_id: str) -> StoredLimits:
        """A player's limits. Raises NotUnderstood."""
        fields = await self._connection.call("HGETALL", keys.limits(alien_id))
        try:
            limits = _LIMITS.read(fields)
            since_ms = float(fields.get("since_ms") or 0)
        except ValueError as error:
            raise NotUnderstood(f"limits of {alien_id}: {codec.why(error)}") from None
        complete = fields.get("complete") == "true"
        return StoredLimits(limits, fields.get("version", ""), complete, since_ms)

    async def save(
        self, alien_id: str, before: StoredLimits, limits: Limits, now_ms: float
    ) -> bool:
        """Replace a player's limits; False if they are no longer as they were before."""
        # From now on, and before anything is looked up, what they pay stays in the store.
        if not await self._commits.commit([], [("SADD", keys.LIMITED, alien_id)], now_ms):
            return False
        key = keys.limits(alien_id)
        fields = _LIMITS.write(limits) | ({} if before.version else {"since_ms": repr(now_ms)})
        flat = (part for field in fields.items() for part in field)
        writes: list[Write] = [("HSET", key, *flat), ("HINCRBY", key, "version", 1)]
        check = Check(("HGET", key, "version"), before.version)
        return await self._commits.commit([check], writes, now_ms)

    async def add_earlier(
        self, alien_id: str, received: Iterable[Received], *, are_all: bool
    ) -> None:
        """Note payments from before the player had limits, each once, and whether these are all."""
        for payment in received:
            for command in spent_writes(payment):
                await self._connection.call(*command)
        if are_all:
            await self._connection.call("HSET", keys.limits(alien_id), "complete", "true")

    async def spending(
        self, alien_id: str, tables: Iterable[str], now_ms: float
    ) -> tuple[Spending, Sequence[HeldSeat]]:
        """What counts against a player's limits at these tables, and the seats that they hold."""
        found = await asyncio.gather(
            *(self._spending_at(alien_id, table, now_ms) for table in tables)
        )
        payments = tuple(payment for paid, _ in found for payment in paid)
        seats = [seat for _, held in found for seat in held]
        unpaid = sum(seat.buy_in_amount for seat in seats if not seat.paid)
        return Spending(payments, unpaid), [seat for seat in seats if not seat.lapsed]

    async def _spending_at(
        self, alien_id: str, table: str, now_ms: float
    ) -> tuple[Sequence[tuple[float, Coins]], Sequence[HeldSeat]]:
        held = await self._connection.call("HGETALL", keys.seats(table, alien_id))
        lobbies = [name for name in held if is_lobby_id(name) and lobby_table(name) == table]
        seats = await asyncio.gather(
            *(
                self._connection.call(
                    "HMGET", keys.player(name, alien_id), "paid", "expires_at", "invoice_id"
                )
                for name in lobbies
            )
        )
        amounts = await asyncio.gather(
            *(self._connection.call("HGET", keys.lobby(name), "buy_in_amount") for name in lobbies)
        )
        # Last: so a seat that is paid meanwhile is counted once, by what is found here.
        members = await self._connection.call(
            "ZRANGE",
            keys.spent(table, alien_id),
            f"({now_ms - LONGEST_MS}",
            "+inf",
            "BYSCORE",
        )
        payments = [read_spent(table, alien_id, member) for member in members]
        paid_invoices = {payment.invoice_id for payment in payments}
        found = []
        for name, (paid, expires_at, invoice_id), amount in zip(
            lobbies, seats, amounts, strict=True
        ):
            is_paid = paid == "true" or invoice_id in paid_invoices
            over_for_ms = now_ms - float(expires_at or 0)
            if amount is not None and (is_paid or over_for_ms < LAPSING_MS):
                is_lapsed = not is_paid and over_for_ms >= 0
                found.append(HeldSeat(name, int(amount), is_paid, is_lapsed))
        return [(payment.at_ms, payment.amount) for payment in payments], found

    async def lock(self, alien_id: str, owner: str) -> bool:
        """Keep others from taking a seat for this player, for `LOCK_MS`; False if somebody is at
        it."""
        taken = await self._connection.call(
            "SET", keys.seating(alien_id), owner, "NX", "PX", LOCK_MS
        )
        return taken is not None

    async def unlock(self, alien_id: str, owner: str) -> None:
        """Let others go on, if `owner` still has the lock."""
        key = keys.seating(alien_id)
        await self._commits.commit([Check(("GET", key), owner)], [("DEL", key)], NO_DECISION)


async def limited(connection: Connection, alien_ids: Sequence[str]) -> set[str]:
    """Those of these players who ever set themselves limits. Raises StoreUnavailable."""
    if not alien_ids:
        return set()
    found = await connection.call("SMISMEMBER", keys.LIMITED, *alien_ids)
    return {alien_id for alien_id, is_in in zip(alien_ids, found, strict=True) if is_in}
