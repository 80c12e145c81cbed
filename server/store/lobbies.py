"""Lobbies in the store: loading one, committing what happened to it, reading its log."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from protocol.ids import lobby_table
from server.rules.events import Event
from server.store import codec, keys
from server.store.commits import Check, Commits, log_check
from server.store.connection import Connection, Script
from server.store.errors import NotUnderstood
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

Texts = tuple[Mapping[str, str], Sequence[str], Sequence[Mapping[str, str]]]
"""A lobby's hash, its list of the numbers called, and the hashes of its players."""
Expect = Callable[[str, Snapshot, Sequence[Record]], None]
"""Called with a lobby's id, the lobby as it will be if the commit succeeds, and its records."""
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
            return read_snapshot(texts)
        except (LookupError, ValueError) as error:
            raise NotUnderstood(f"{lobby_id}: {codec.why(error)}") from None

    async def seconds_left(self, lobby_id: str) -> float:
        """How long the lobby will be there; 0 if it is not, infinite if it does not expire."""
        left_ms = int(await self._connection.call("PTTL", keys.lobby(lobby_id)))
        return math.inf if left_ms == -1 else max(left_ms, 0) / 1000

    async def texts_with_log(self, lobby_id: str) -> tuple[Texts, list[StreamEntry]]:
        """The lobby as the store has it, and all entries of its stream, of one instant; both empty
        if there is none."""
        while True:
            texts = await self._texts(lobby_id)
            log = await self._connection.call("XRANGE", keys.events(lobby_id), "-", "+")
            if await self._texts(lobby_id) == texts:  # else it went on meanwhile
                return texts, [(entry_id, fields) for entry_id, fields in log]

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
        after, log = recorded[-1][1], [record for record, _ in recorded]
        table = lobby_table(after.lobby_id)
        await self._tables.note(table)
        unchanged = log_check(after.lobby_id, before)
        changed = Snapshot(after, log[-1].position)
        if expect is not None:
            expect(after.lobby_id, changed, log)
        done = await self._commits.commit(
            [unchanged, *checks],
            self._projection.writes(before, recorded, table, writes),
            now_ms,
        )
        return (changed, log) if done else None

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

    async def _range(self, lobby_id: str, start: str, limit: int) -> list[Record]:
        stream = keys.events(lobby_id)
        entries = await self._connection.call("XRANGE", stream, start, "+", "COUNT", limit)
        return [read_record(entry_id, fields) for entry_id, fields in entries]


def read_snapshot(texts: Texts) -> Snapshot:
    """The lobby that is kept so. Raises LookupError or ValueError if it is none."""
    fields, called, players = texts
    return Snapshot(codec.read_lobby(fields, players, called), read_position(fields))


def _pairs(flat: list[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
