"""Coming back: what a client has missed since the last event that it saw."""

from collections.abc import Sequence
from typing import Any, Final

from server.services.replicas import LobbyReplicas
from server.store.errors import NotUnderstood
from server.store.lobbies import LobbyStore
from server.store.log import Record

MOST_MISSED: Final = 1_000
"""Whoever is further behind gets the whole state: it is shorter."""


class Resuming:
    """Finds the events after a `last_seq`, in this node's memory or in the lobby's log."""

    def __init__(self, replicas: LobbyReplicas, store: LobbyStore) -> None:
        self._replicas = replicas
        self._store = store

    async def older(self, lobby_id: str, last_seq: Any) -> list[Record]:
        """The events after `last_seq` that this node does not remember. Empty if it remembers
        enough, or if `last_seq` leads nowhere. Raises StoreUnavailable."""
        if self._is_ahead(lobby_id, last_seq):  # of this node, but perhaps not of another one
            await self._replicas.catch_up(lobby_id)
        if self.missed(lobby_id, last_seq, []) is not None or not self._is_past(lobby_id, last_seq):
            return []
        try:
            return await self._store.room_records_after(lobby_id, last_seq, MOST_MISSED)
        except NotUnderstood:  # by this version; the lobby itself may be
            return []

    def missed(
        self, lobby_id: str, last_seq: Any, older: Sequence[Record]
    ) -> Sequence[Record] | None:
        """The events after `last_seq` up to now, in order and without a gap, with the help of
        `older` ones that were read before; None if only the whole state will do."""
        if not self._is_past(lobby_id, last_seq):
            return None
        snapshot = self._replicas.snapshot(lobby_id)
        by_seq = {r.position.seq: r for r in (*older, *self._replicas.recent(lobby_id))}
        wanted = range(last_seq + 1, snapshot.position.seq + 1 if snapshot else 0)
        if any(seq not in by_seq for seq in wanted):
            return None
        return [by_seq[seq] for seq in wanted]

    def _is_ahead(self, lobby_id: str, last_seq: Any) -> bool:
        snapshot = self._replicas.snapshot(lobby_id)
        return snapshot is not None and type(last_seq) is int and last_seq > snapshot.position.seq

    def _is_past(self, lobby_id: str, last_seq: Any) -> bool:
        snapshot = self._replicas.snapshot(lobby_id)
        return (
            snapshot is not None
            and type(last_seq) is int
            and 0 <= last_seq <= snapshot.position.seq
            and snapshot.position.seq - last_seq <= MOST_MISSED
        )
