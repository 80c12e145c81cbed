"""How regular the calls of a game are, by the server's own times."""


class Pace:
    """The rhythm of one game: its first call that is heard sets it, from then on one is due every
    `interval_ms`. A call that is a whole interval late sets it anew."""

    __slots__ = ("_due_ms", "_index", "_interval_ms")

    def __init__(self, interval_ms: float) -> None:
        self._interval_ms = interval_ms
        self._index = 0
        self._due_ms = 0.0

    def called(self, index: int, at_ms: float) -> float | None:
        """How many ms the `index`-th call was off; None for the first, and for one that is no
        news."""
        if index <= self._index:
            return None
        is_first = self._index == 0
        due_ms = self._due_ms + (index - self._index) * self._interval_ms
        late_ms = 0.0 if is_first else at_ms - due_ms
        self._index = index
        self._due_ms = at_ms if is_first or late_ms >= self._interval_ms else due_ms
        return None if is_first else abs(late_ms)


class Games:
    """The games that the players of this process are in."""

    def __init__(self, interval_ms: float) -> None:
        self._interval_ms = interval_ms
        self._paces: dict[str, Pace] = {}

    def pace(self, lobby_id: str) -> Pace:
        """The pace of a lobby, one for all who listen."""
        return self._paces.setdefault(lobby_id, Pace(self._interval_ms))

    def end(self, lobby_id: str) -> None:
        """The game is over."""
        self._paces.pop(lobby_id, None)

    @property
    def lobby_ids(self) -> list[str]:
        """The lobbies whose games are not over."""
        return list(self._paces)
