"""A replica listener that keeps all that it is notified of."""

from collections.abc import Sequence

from server.rules.evolve import evolve
from server.store.log import Record, Snapshot


class Listener:
    """Checks, for one lobby, that each state it is notified of follows from the records."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.resets: list[Snapshot] = []
        self.invoices: list[str] = []
        self.gone_lobbies: list[str] = []
        self._last: Snapshot | None = None

    @property
    def versions(self) -> list[int]:
        """The versions of the records, in the order of the notifications."""
        return [record.position.version for record in self.records]

    def happened(self, _lobby_id: str, snapshot: Snapshot, records: Sequence[Record]) -> None:
        """See `ReplicaListener`."""
        assert snapshot.position == records[-1].position
        if self._last is not None:
            lobby = self._last.lobby
            for record in records:
                lobby = evolve(lobby, record.event)
            assert lobby == snapshot.lobby
        self._last = snapshot
        self.records += records

    def invoice_changed(self, _lobby_id: str, alien_id: str) -> None:
        """See `ReplicaListener`."""
        self.invoices.append(alien_id)

    def reset(self, _lobby_id: str, snapshot: Snapshot) -> None:
        """See `ReplicaListener`."""
        self._last = snapshot
        self.resets.append(snapshot)

    def gone(self, lobby_id: str) -> None:
        """See `ReplicaListener`."""
        self.gone_lobbies.append(lobby_id)
