"""One lobby that a node follows."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from server.rules.evolve import evolve
from server.store.log import Record, Snapshot, decode_commit

RECENT: Final = 256
"""How many events of a lobby a node remembers for those who come back."""


@dataclass(slots=True)
class Replica:
    """A replica lobby, and the last of what its room heard. `expected`: what this node last asked
    the store to commit, and the lobby after it. `expiring` waits for the store to let go of it."""

    snapshot: Snapshot
    followers: int = 1
    expected: tuple[Snapshot, Sequence[Record]] | None = None
    recent: deque[Record] = field(default_factory=lambda: deque(maxlen=RECENT))
    catching_up: bool = False
    behind: bool = False
    expiring: "asyncio.Task[None] | None" = None

    @property
    def gone(self) -> bool:
        """Whether the store has the lobby no more."""
        return self.snapshot.lobby is None

    @property
    def finished(self) -> bool:
        """Whether the lobby is over, and so expires."""
        return self.snapshot.lobby is not None and self.snapshot.lobby.status == "finished"

    def is_next(self, records: Sequence[Record]) -> bool:
        """Whether these records follow on the last one that is known: on that very one, for a
        store that went back in time goes on with others of the same versions."""
        return records[0].fields["previous"] == self.snapshot.position.hash

    def told(self, said: str, last_hash: str) -> tuple[Snapshot | None, Sequence[Record]]:
        """The records of an encode_commit, and the lobby after them if that is known: the hash of
        the last vouches for all that led there."""
        if self.expected is not None and self.expected[0].position.hash == last_hash:
            return self.expected
        return None, decode_commit(said)

    def advance(self, records: Sequence[Record], after: Snapshot | None) -> None:
        """Take in the next records, which lead to `after` if that is known."""
        self.snapshot = after or self._replayed(records)
        self.recent.extend(record for record in records if record.name is not None)

    def start_over(self, snapshot: Snapshot) -> None:
        """The lobby is another than was known: what came before no longer holds."""
        self.snapshot = snapshot
        self.recent.clear()

    def _replayed(self, records: Sequence[Record]) -> Snapshot:
        lobby = self.snapshot.lobby
        for record in records:
            lobby = evolve(lobby, record.event)
        return Snapshot(lobby, records[-1].position)
