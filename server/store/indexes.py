"""Indexes that contradict a lobby: corrected in one step when they are found."""

from collections.abc import Iterator

import structlog

from protocol.ids import lobby_table
from server.rules.lobby import SET_BACK_MS, Lobby, due_at, latest_due
from server.store import keys
from server.store.commits import Commits, log_check
from server.store.connection import Connection
from server.store.log import Snapshot
from server.store.projection import Write, opening_rank
from server.store.timers import LEASE_MS

log = structlog.get_logger(__name__)


class Indexes:
    """What leads to lobbies: `openings`, `active_lobbies`, `timers`, and the `seats` of players.

    Each commit keeps them; but a store that lost some writes, or a change by hand, may have left an
    entry that contradicts its lobby. A correction is written only if the lobby is at that instant
    as it was found.
    """

    def __init__(self, connection: Connection, commits: Commits) -> None:
        self._connection = connection
        self._commits = commits

    async def repair(self, lobby_id: str, found: Snapshot, now_ms: float) -> None:
        """Correct what leads to a lobby that was `found` to be so. Raises StoreUnavailable."""
        table = lobby_table(lobby_id)
        for index, wanted in _members(found.lobby, table):
            await self._repair_member(lobby_id, found, index, wanted, now_ms)
        await self._repair_timer(lobby_id, found, now_ms)

    async def repair_seat(
        self, alien_id: str, lobby_id: str, found: Snapshot, now_ms: float
    ) -> None:
        """Forget the seat of a player in a lobby that was `found` not to form with them in it."""
        lobby = found.lobby
        if lobby is not None and lobby.status == "forming" and alien_id in lobby.players:
            return
        key = keys.seats(lobby_table(lobby_id), alien_id)
        if await self._connection.call("HGET", key, lobby_id) is not None:
            await self._correct(lobby_id, found, ("HDEL", key, lobby_id), now_ms)

    async def _repair_member(
        self, lobby_id: str, found: Snapshot, index: str, wanted: int | None, now_ms: float
    ) -> None:
        if await self._score(index, lobby_id) != wanted:
            await self._correct(lobby_id, found, _write(index, lobby_id, wanted), now_ms)

    async def _repair_timer(self, lobby_id: str, found: Snapshot, now_ms: float) -> None:
        index = keys.timers(lobby_table(lobby_id))
        score = await self._score(index, lobby_id)
        due = None if found.lobby is None else due_at(found.lobby)
        if found.lobby is not None and due is not None:
            latest = latest_due(found.lobby, now_ms)
            is_far = due > latest + SET_BACK_MS  # the clock was set back: it is brought forward
            due = latest if is_far else due
            until_ms = max(due, now_ms) + LEASE_MS + SET_BACK_MS  # a node may hold its lease
            if score is not None and score <= until_ms and (is_far or score >= due):
                return
        elif score is None:
            return
        await self._correct(lobby_id, found, _write(index, lobby_id, due), now_ms)

    async def _score(self, index: str, lobby_id: str) -> float | None:
        score = await self._connection.call("ZSCORE", index, lobby_id)
        return None if score is None else float(score)

    async def _correct(self, lobby_id: str, found: Snapshot, write: Write, now_ms: float) -> None:
        if await self._commits.commit([log_check(lobby_id, found)], [write], now_ms):
            index = str(write[1]).partition(":")[0]
            self._commits.metrics.indexes_corrected.labels(index).inc()
            log.warning("index_corrected", index=index, lobby_id=lobby_id)


def _write(index: str, lobby_id: str, score: int | None) -> Write:
    return ("ZREM", index, lobby_id) if score is None else ("ZADD", index, score, lobby_id)


def _members(lobby: Lobby | None, table: str) -> Iterator[tuple[str, int | None]]:
    forming = lobby if lobby is not None and lobby.status == "forming" else None
    has_room = forming is not None and not forming.full
    yield keys.openings(table), opening_rank(forming) if forming and has_room else None
    yield keys.active_lobbies(table), None if forming is None else forming.created_at
