"""Lobbies in the store: loading one, committing what happened to it, reading its log."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import structlog

from protocol.ids import lobby_table
from server.rules.events import (
    ArrangingBegan,
    Event,
    FormingExtended,
    GameFinished,
    GameStarted,
    NumberCalled,
)
from server.store import codec, keys
from server.store.commits import NO_DECISION, Check, Commits, log_check
from server.store.connection import Connection, Script
from server.store.errors import NotUnderstood, StoreUnavailable
from server.store.indexes import Indexes
from server.store.log import (
    LOG_START,
    LogPosition,
    Record,
    Snapshot,
    StreamEntry,
    read_position,
    read_record,
    record_events,
)
from server.store.projection import Projection, Write
from server.store.tables import Tables

log = structlog.get_logger(__name__)

Texts = tuple[Mapping[str, str], Sequence[str], Sequence[Mapping[str, str]]]
"""A lobby's hash, its list of the numbers called, and the hashes of its players."""
Expect = Callable[[str, Snapshot, Sequence[Record]], None]
"""Called with a lobby's id, the lobby as it will be if the commit succeeds, and its records."""
_PUBLISHED_AT_ONCE: Final = (ArrangingBegan, FormingExtended, GameStarted, NumberCalled)
"""What follows from the time and the proof's order alone: if it is lost, it comes again."""
_POSITION: Final = ("version", "hash")
_NO_LOBBY: Final = Snapshot(None, LOG_START)


class LobbyStore:
    """What the store knows of lobbies."""

    def __init__(
        self, connection: Connection, commits: Commits, projection: Projection, tables: Tables
    ) -> None:
        self._connection = connection
        self._commits = commits
        self._projection = projection
        self._tables = tables
        self._load = Script("load")
        self.indexes = Indexes(connection, commits)

    async def load(self, lobby_id: str) -> Snapshot:
        """The lobby as it is now; no lobby in it if there is none (any more).

        Raises NotUnderstood if it is none that this version knows.
        """
        texts = await self._texts(lobby_id)
        if not texts[0]:
            return _NO_LOBBY
        try:
            snapshot = read_snapshot(texts)
        except (LookupError, ValueError) as error:
            raise NotUnderstood(f"{lobby_id}: {codec.why(error)}") from None
        await self._confirm_end(lobby_id, texts)
        return snapshot

    async def seconds_left(self, lobby_id: str) -> float:
        """How long the lobby will be there; 0 if it is not, infinite if it does not expire."""
        left_ms = int(await self._connection.call("PTTL", keys.lobby(lobby_id)))
        return math.inf if left_ms == -1 else max(left_ms, 0) / 1000

    async def texts_with_log(self, lobby_id: str) -> tuple[Texts, list[StreamEntry]]:
        """The lobby as the store has it, and all entries of its stream, of one instant; both empty
        if there is none."""
        while True:
            texts = await self._texts(lobby_id)
            found = await self._connection.call("XRANGE", keys.events(lobby_id), "-", "+")
            if await self._stands_at(lobby_id) == _position_of(texts):  # else it went on meanwhile
                await self._confirm_end(lobby_id, texts)
                return texts, [(entry_id, fields) for entry_id, fields in found]

    async def commit(
        self,
        before: Snapshot,
        events: Sequence[Event],
        now_ms: float,
        *,
        checks: Iterable[Check] = (),
        writes: Iterable[Write] = (),
        expect: Expect | None = None,
    ) -> tuple[Snapshot, list[Record]] | None:
        """Make `events`, decided on `before` at `now_ms`, true, together with further `writes` and
        only if further `checks` hold. `expect` is called before the store is asked.

        Returns the lobby after it and the records of its log, or None: nothing was written, since
        the lobby is no longer as it was. Raises StoreUnavailable when it is not known which.
        """
        recorded = record_events(before, events, now_ms)
        after, records = recorded[-1][1], [record for record, _ in recorded]
        table = lobby_table(after.lobby_id)
        if before.lobby is None:
            await self._tables.note(table)
        else:
            self._tables.note_soon(table)
        unchanged = log_check(after.lobby_id, before)
        changed = Snapshot(after, records[-1].position)
        if expect is not None:
            expect(after.lobby_id, changed, records)
        ends = any(isinstance(event, GameFinished) for event in events)
        publishes = not (ends and self._commits.confirms)
        done = await self._commits.commit(
            [unchanged, *checks],
            self._projection.writes(before, recorded, table, writes, publishes=publishes),
            now_ms,
            confirmed=not all(isinstance(event, _PUBLISHED_AT_ONCE) for event in events),
        )
        if not done:
            return None
        if not publishes:
            await self._publish_committed_end(after.lobby_id, changed, records)
        return changed, records

    async def _publish_committed_end(
        self, lobby_id: str, end: Snapshot, last: Sequence[Record]
    ) -> None:
        try:
            await self._publish_end(lobby_id, end, last)
        except StoreUnavailable as error:
            # It is committed, and its timer has a node publish it.
            log.warning("end_not_published", lobby_id=lobby_id, error=str(error))

    async def publish_end(self, end: Snapshot) -> None:
        """Publish the end of a lobby, unless the node that ended it has: then it is no longer among
        the timers. Raises StoreUnavailable."""
        if end.lobby is None or end.lobby.status != "finished":
            return
        lobby_id = end.lobby.lobby_id
        index = keys.timers(lobby_table(lobby_id))
        if await self._connection.call("ZSCORE", index, lobby_id) is not None:
            last = await self.records_from(lobby_id, end.position, 1)
            if last:
                await self._publish_end(lobby_id, end, last)

    async def _publish_end(self, lobby_id: str, end: Snapshot, last: Sequence[Record]) -> None:
        table = lobby_table(lobby_id)
        writes = [
            *self._projection.end_published(end, last, table),
            ("ZREM", keys.timers(table), lobby_id),
        ]
        unchanged = log_check(lobby_id, end)
        await self._commits.commit([unchanged], writes, NO_DECISION, confirmed=False)

    async def confirm(self, lobby_id: str, found: Snapshot) -> None:
        """Return when the replicas have all that was read of a lobby, which is as it was `found`.
        Raises StoreUnavailable."""
        await self._commits.confirm(lobby_table(lobby_id), [log_check(lobby_id, found)])

    async def _confirm_end(self, lobby_id: str, texts: Texts) -> None:
        """No end is shown to anybody that may not survive the loss of the primary."""
        if texts[0].get("status") == "finished":
            await self._confirm_log(lobby_id, texts[0].get("hash", ""))

    async def _confirm_log(self, lobby_id: str, last_hash: str) -> None:
        ended = Check(("HGET", keys.lobby(lobby_id), "hash"), last_hash)
        await self._commits.confirm(lobby_table(lobby_id), [ended], (lobby_id, last_hash))

    async def records_from(self, lobby_id: str, position: LogPosition, limit: int) -> list[Record]:
        """The records from the one at `position` on, in order, at most `limit`. If the first is not
        the one that `position` is of, the store has lost something since."""
        return await self._range(lobby_id, position.id, limit)

    async def room_records_after(self, lobby_id: str, seq: int, limit: int) -> list[Record]:
        """The records of what was sent to the room after its event `seq`, among the first `limit`
        records from there on."""
        found = await self._range(lobby_id, f"{seq + 1}-0", limit)
        return [record for record in found if record.name is not None]

    async def _texts(self, lobby_id: str) -> Texts:
        lobby_keys = [keys.lobby(lobby_id), keys.numbers_called(lobby_id)]
        fields, called, players = await self._connection.run_timed(self._load, lobby_keys, [])
        return _pairs(fields), called, [_pairs(player) for player in players]

    async def _stands_at(self, lobby_id: str) -> list[str | None]:
        """How far its log has come, which changes with every commit."""
        found: list[str | None] = await self._connection.call(
            "HMGET", keys.lobby(lobby_id), *_POSITION
        )
        return found

    async def _range(self, lobby_id: str, start: str, limit: int) -> list[Record]:
        stream = keys.events(lobby_id)
        entries = await self._connection.call("XRANGE", stream, start, "+", "COUNT", limit)
        records = [read_record(entry_id, fields) for entry_id, fields in entries]
        if records and isinstance(records[-1].event, GameFinished):
            await self._confirm_log(lobby_id, records[-1].position.hash)
        return records


def _position_of(texts: Texts) -> list[str | None]:
    return [texts[0].get(name) for name in _POSITION]


def read_snapshot(texts: Texts) -> Snapshot:
    """The lobby that is kept so. Raises LookupError or ValueError if it is none."""
    fields, called, players = texts
    return Snapshot(codec.read_lobby(fields, players, called), read_position(fields))


def _pairs(flat: list[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
