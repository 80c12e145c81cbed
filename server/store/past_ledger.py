"""Ledgers whose oldest entries leave the store: they are read to be moved into the books, and let
go after that.

Letting go is a commit with its check, so it may come again, or late, or from two processes at once.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from server.store import keys
from server.store.commits import NO_DECISION, Check, Commits
from server.store.connection import Connection
from server.store.limits import limited
from server.store.log import StreamEntry
from server.store.projection import Write
from server.store.spent import Received, forgotten

Fields = Mapping[str, str]

START: Final = "0-0"
"""Stands before the first entry of a ledger."""
_STREAM_ID: Final = re.compile(r"[0-9]{1,18}-[0-9]{1,18}")  # so long it fits into a bigint
_DEBTS_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the store remembers of the head of a ledger that it let go: the last entry of it, and
    what was owed in it and is not settled, as the entries' fields by their stream ids."""

    last_id: str
    owed: Mapping[str, Fields]


class PastLedger:
    """The ledgers of one store, table by table."""

    def __init__(self, connection: Connection, commits: Commits) -> None:
        self._connection = connection
        self._commits = commits

    async def entries_after(self, table: str, after: str, most: int) -> list[StreamEntry]:
        """At most so many entries after the stream id `after`, in order, as they stand."""
        start = "-" if after == START else f"({after}"
        found = await self._connection.call("XRANGE", keys.ledger(table), start, "+", "COUNT", most)
        if found:  # what goes into the books must not leave a store that goes back
            await self._commits.confirm(table, seen=(table, found[-1][0]))
        return [(stream_id, fields) for stream_id, fields in found]

    async def entries_between(
        self, table: str, first: str, last: str, most: int
    ) -> list[StreamEntry]:
        """At most so many entries from the stream id `first` on, up to `last`, both included."""
        found = await self._connection.call(
            "XRANGE", keys.ledger(table), first, last, "COUNT", most
        )
        return [(stream_id, fields) for stream_id, fields in found]

    async def entry(self, table: str, stream_id: str) -> Fields | None:
        """That entry of the ledger; None if it is not there."""
        found = await self._connection.call("XRANGE", keys.ledger(table), stream_id, stream_id)
        return found[0][1] if found else None

    async def checkpoint(self, table: str) -> Checkpoint:
        """What is remembered of what was let go."""
        fields = await self._connection.call("HGETALL", keys.checkpoint(table))
        last_id = fields.pop("last_id", START)
        return Checkpoint(last_id, {name: orjson.loads(entry) for name, entry in fields.items()})

    async def let_go_until(self, table: str) -> str:
        """The first entry of the ledger that was not let go."""
        found = await self._connection.call("HGET", keys.checkpoint(table), "last_id")
        return START if found is None else str(found)

    async def let_go(
        self,
        table: str,
        before: str,
        last_id: str,
        owed: Mapping[str, Fields],
        settled: Collection[str],
        received: Sequence[Received],
        now_ms: float,
    ) -> bool:
        """Let go of the entries from `before` on, where that ended last, to `last_id`, which stays
        to show where the books stand.

        `owed` are those of them that are owed, `settled` the owed ones that they settle. `received`
        are the payments in them: they stop counting here, but for players who set themselves
        limits. False if somebody else did, or the store went back.
        """
        have_limits = await limited(self._connection, sorted({p.alien_id for p in received}))
        key = keys.checkpoint(table)
        expected = "" if before == START else before
        writes: list[Write] = [("HSET", key, "last_id", last_id)]
        remembered = {
            stream_id: orjson.dumps(fields).decode() for stream_id, fields in owed.items()
        }
        writes += [("HSET", key, name, entry) for name, entry in remembered.items()]
        writes += [("HDEL", key, stream_id) for stream_id in settled]
        writes += [("HDEL", keys.settled(table), stream_id) for stream_id in settled]
        writes += [forgotten(p) for p in received if p.alien_id not in have_limits]
        writes.append(("XTRIM", keys.ledger(table), "MINID", "=", last_id))
        return await self._commits.commit(
            [Check(("HGET", key, "last_id"), expected)], writes, now_ms
        )

    async def begin_after(
        self, table: str, last_id: str, last: Fields, owed: Mapping[str, Fields]
    ) -> bool:
        """Have a ledger that is not there begin with its `last` entry that is in the books, and
        remember what is owed before that. False if there is a ledger."""
        ledger, key = keys.ledger(table), keys.checkpoint(table)
        empty = [Check(("EXISTS", ledger), "0"), Check(("HGET", key, "last_id"), "")]
        debts = [
            ("HSET", key, stream_id, orjson.dumps(dict(fields)).decode())
            for stream_id, fields in owed.items()
        ]
        flat = (part for field in last.items() for part in field)
        begun: list[Write] = [("XADD", ledger, last_id, *flat), ("HSET", key, "last_id", last_id)]
        for first in range(0, len(debts), _DEBTS_AT_ONCE):
            some = debts[first : first + _DEBTS_AT_ONCE]
            if not await self._commits.commit(empty, some, NO_DECISION):
                return False
        return await self._commits.commit(empty, begun, NO_DECISION)


def is_stream_id(text: str) -> bool:
    """Whether this is written as a stream id that an entry may have, in the books too."""
    return _STREAM_ID.fullmatch(text) is not None and stream_position(text) > (0, 0)


def stream_position(stream_id: str) -> tuple[int, int]:
    """Where a stream id stands: ids compare as pairs of numbers."""
    milliseconds, _, sequence = stream_id.partition("-")
    return int(milliseconds), int(sequence or 0)
