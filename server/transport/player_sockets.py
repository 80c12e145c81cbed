"""How many connections each player has to this server."""

from collections import Counter

from server.transport.session import Session


class PlayerSockets:
    """Counts connections by player: each may have `most` at a time; 0 is no limit."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count: Counter[str] = Counter()
        self._player: dict[str, str] = {}  # by the connection's sid

    def take(self, session: Session, alien_id: str) -> bool:
        """Whether this connection may be the player's; it then counts until it is given back."""
        if session.sid in self._player or session.close_reason is not None:
            return True
        if 0 < self._most <= self._count.get(alien_id, 0):
            return False
        self._player[session.sid] = alien_id
        self._count[alien_id] += 1
        return True

    def give_back(self, session: Session) -> None:
        """The connection is over, or is nobody's after all. Safe to repeat."""
        alien_id = self._player.pop(session.sid, None)
        if alien_id is None:
            return
        self._count[alien_id] -= 1
        if not self._count[alien_id]:
            del self._count[alien_id]
