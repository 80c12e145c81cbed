"""A lobby in this node's memory, and who is notified of its changes."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from server.rules.evolve import evolve
from server.store.log import Record, Snapshot, decode_commit

RECENT: Final = 256
"""How many events of a lobby a node keeps in memory for clients that reconnect."""


class ReplicaListener(Protocol):
    """Is notified of what happens in the lobbies that this node has replicas of."""

    def happened(self, lobby_id: str, snapshot: Snapshot, records: Sequence[Record]) -> None:
        """These records come next after the last notification; `snapshot` is the lobby after
        them."""

    def invoice_changed(self, lobby_id: str, alien_id: str) -> None:
        """A player's invoice changed, and nothing that the others see."""

    def reset(self, lobby_id: str, snapshot: Snapshot) -> None:
        """Earlier notifications no longer hold: the store has lost some of their records."""

    def gone(self, lobby_id: str) -> None:
        """The store no longer has the lobby: it expired, or was lost."""


@dataclass(slots=True)
class Replica:
    """A copy of a lobby, and the last records that were sent to its room.

    `users`: how many need it. `expected`: what this node last asked the store to commit, and the
    lobby after it.
    """

    snapshot: Snapshot
    users: int = 1
    expected: tuple[Snapshot, Sequence[Record]] | None = None
    recent: deque[Record] = field(default_factory=lambda: deque(maxlen=RECENT))
    catching_up: bool = False
    behind: bool = False

    @property
    def gone(self) -> bool:
        """Whether the store no longer has the lobby."""
        return self.snapshot.lobby is None

    @property
    def finished(self) -> bool:
        """Whether the lobby is over, and so expires."""
        return self.snapshot.lobby is not None and self.snapshot.lobby.status == "finished"

    def is_next(self, records: Sequence[Record]) -> bool:
        """Whether these records come next: after the very record that is the last one here, not
        just after its version, since a store that was restored from an older state writes other
        records of the same versions."""
        return records[0].fields["previous"] == self.snapshot.position.hash

    def read_commit(self, message: str, last_hash: str) -> tuple[Snapshot | None, Sequence[Record]]:
        """The records of a published commit, and the lobby after them if this node expected it:
        the hash of the last record vouches for all before it."""
        if self.expected is not None and self.expected[0].position.hash == last_hash:
            return self.expected
        return None, decode_commit(message)

    def advance(self, records: Sequence[Record], after: Snapshot | None) -> None:
        """Take in the next records, which lead to `after` if that is known."""
        self.snapshot = after or self._replayed(records)
        self.recent.extend(record for record in records if record.name is not None)

    def reset(self, snapshot: Snapshot) -> None:
        """Replace the lobby by one that does not follow from it."""
        self.snapshot = snapshot
        self.recent.clear()

    def _replayed(self, records: Sequence[Record]) -> Snapshot:
        lobby = self.snapshot.lobby
        for record in records:
            lobby = evolve(lobby, record.event)
        return Snapshot(lobby, records[-1].position)
