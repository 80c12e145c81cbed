"""The ledger in the store: read in pages, appended to, never changed."""

import math
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from server.rules.coins import Coins, coins_text, read_coins
from server.rules.money import KINDS, Kind
from server.store import keys
from server.store.channels import Channels
from server.store.commits import NO_DECISION, Check, Commits
from server.store.connection import Connection
from server.store.projection import Write

_PAGE: Final = 1_000
_YEAR_10000_MS: Final = 253_402_300_800_000
_STREAM_ID: Final = re.compile(r"[0-9]{1,19}-[0-9]{1,19}")  # so long it fits into 64 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One movement of money: `amount` in coins, `at` in Unix ms. `event` is the lobby's event or
    the transaction that it comes from, or the entry that it settles, then with a `reference`. The
    command line prints the fields by these names."""

    table: str
    stream_id: str
    kind: Kind
    amount: Coins
    lobby_id: str
    at: float
    event: str
    invoice_id: str | None = None
    alien_id: str | None = None
    test: bool = False
    reference: str | None = None

    @property
    def entry_id(self) -> str:
        """What an operator calls the entry: `<table>:<stream id>`."""
        return f"{self.table}:{self.stream_id}"

    @property
    def owed(self) -> bool:
        """Whether a player is to be paid because of it, which is never so for an amount of 0."""
        return self.kind in ("payout_owed", "refund_owed") and self.amount != 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MalformedEntry:
    """An entry of the stream that is no movement of money: what is wrong with it, and its fields
    as they are. Another program may have written it, so they are not to be trusted."""

    table: str
    stream_id: str
    problem: str
    fields: Mapping[str, str]

    @property
    def entry_id(self) -> str:
        """What an operator calls the entry: `<table>:<stream id>`."""
        return f"{self.table}:{self.stream_id}"


class LedgerStore:
    """The ledgers of all tables, and the payments that matched nothing."""

    def __init__(self, connection: Connection, commits: Commits, channels: Channels) -> None:
        self._connection = connection
        self._commits = commits
        self._channels = channels

    async def pages(
        self, table: str, after: str = ""
    ) -> AsyncIterator[list[LedgerEntry | MalformedEntry]]:
        """The table's entries in order, those after the stream id `after`, a page at a time."""
        while page := await self.page(table, after):
            yield page
            after = page[-1].stream_id

    async def page(self, table: str, after: str = "") -> list[LedgerEntry | MalformedEntry]:
        """The next entries after the stream id `after`; none at the end."""
        start = f"({after}" if after else "-"
        found = await self._connection.call(
            "XRANGE", keys.ledger(table), start, "+", "COUNT", _PAGE
        )
        return [read_entry(table, stream_id, fields) for stream_id, fields in found]

    async def entry(self, entry_id: str) -> LedgerEntry | MalformedEntry | None:
        """The entry of that id; None if there is none."""
        table, _, stream_id = entry_id.partition(":")
        if _STREAM_ID.fullmatch(stream_id) is None:
            return None
        found = await self._connection.call("XRANGE", keys.ledger(table), stream_id, stream_id)
        return read_entry(table, *found[0]) if found else None

    async def settled(self, entries: Sequence[LedgerEntry]) -> Mapping[str, str]:
        """Those of the entries of one table that are settled, by their ids, with references."""
        if not entries:
            return {}
        table = entries[0].table
        found = await self.references(table, [entry.stream_id for entry in entries])
        return {f"{table}:{name}": reference for name, reference in found.items()}

    async def references(self, table: str, stream_ids: Sequence[str]) -> Mapping[str, str]:
        """The references of those of a table's entries that are settled, by their stream ids."""
        if not stream_ids:
            return {}
        found = await self._connection.call("HMGET", keys.settled(table), *stream_ids)
        pairs = zip(stream_ids, found, strict=True)
        return {name: reference for name, reference in pairs if reference is not None}

    async def settle(self, entry: LedgerEntry, reference: str, now_ms: float) -> bool:
        """Note that an owed entry was paid, with the transaction's `reference`, and publish that.
        False if that was noted before, by whomever."""
        key = keys.settled(entry.table)
        unsettled = Check(("HGET", key, entry.stream_id), "")
        fields = {
            "kind": "settled",
            "amount": coins_text(entry.amount),
            "lobby_id": entry.lobby_id,
            "invoice_id": entry.invoice_id,
            "alien_id": entry.alien_id,
            "at": repr(now_ms),
            "event": entry.stream_id,
            "reference": reference,
        }
        present = [part for pair in fields.items() if pair[1] is not None for part in pair]
        names = ("alien_id", "lobby_id", "amount", "reference")
        news = orjson.dumps({name: fields[name] for name in names}).decode()
        writes: list[Write] = [
            ("HSET", key, entry.stream_id, reference),
            ("XADD", keys.ledger(entry.table), "*", *present),
        ]
        publication: Write = (self._channels.publish, keys.payouts(entry.table), news)
        if not self._commits.confirms:
            return await self._commits.commit([unsettled], [*writes, publication], now_ms)
        # It is published when the replicas have it, and not before.
        settled = await self._commits.commit([unsettled], writes, now_ms)
        if settled:
            await self._commits.commit([], [publication], NO_DECISION, confirmed=False)
        return settled

    async def confirm(self, table: str) -> None:
        """Return when the replicas have all that was read of a table. Raises StoreUnavailable."""
        await self._commits.confirm(table)

    async def unmatched(self) -> AsyncIterator[tuple[str, str]]:
        """The payments that matched no seat: transaction and raw body."""
        cursor = "0"
        while True:
            cursor, found = await self._connection.call(
                "HSCAN", keys.UNMATCHED, cursor, "COUNT", _PAGE
            )
            for tx, raw_body in found.items():
                yield tx, raw_body
            if str(cursor) == "0":
                return


def read_entry(
    table: str, stream_id: str, fields: Mapping[str, str]
) -> LedgerEntry | MalformedEntry:
    """The entry that stands in the stream with these fields."""
    try:
        return LedgerEntry(
            table=table,
            stream_id=stream_id,
            kind=_kind(fields.get("kind", "")),
            amount=_amount(fields.get("amount", "")),
            lobby_id=fields.get("lobby_id", ""),
            at=_at_ms(fields.get("at") or stream_id.partition("-")[0]),
            event=_event(fields.get("event", "")),
            invoice_id=fields.get("invoice_id"),
            alien_id=fields.get("alien_id"),
            test=fields.get("test") == "true",
            reference=fields.get("reference"),
        )
    except ValueError as error:
        return MalformedEntry(table=table, stream_id=stream_id, problem=str(error), fields=fields)


def _kind(text: str) -> Kind:
    if text not in KINDS:
        raise ValueError(f"its kind {text!r} is not known")
    return text


def _amount(text: str) -> Coins:
    try:
        return read_coins(text)
    except ValueError:
        raise ValueError(f"its amount {text!r} is no plain decimal") from None


def _at_ms(text: str) -> float:
    try:
        at_ms = float(text)
    except ValueError:
        at_ms = math.nan
    if not 0 <= at_ms < _YEAR_10000_MS:
        raise ValueError(f"its at {text!r} is no time")
    return at_ms


def _event(text: str) -> str:
    if not text:
        raise ValueError("it has no event")
    return text
