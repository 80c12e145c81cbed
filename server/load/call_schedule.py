"""When the calls of a game are due, and how late they are by the server's own times."""


class CallSchedule:
    """The schedule of one game: from its start on, or from the first call that is received, a
    call is due every `interval_ms`. One that is a whole interval late starts it anew."""

    __slots__ = ("_due_ms", "_index", "_interval_ms")

    def __init__(self, interval_ms: float) -> None:
        self._interval_ms = interval_ms
        self._index: int | None = None
        self._due_ms = 0.0

    def start(self, at_ms: float) -> None:
        """The game became active."""
        if self._index is None:
            self._index, self._due_ms = 0, at_ms

    def called(self, index: int, at_ms: float) -> float | None:
        """How many ms the `index`-th call was late; None for one that was received before, and for
        the first of a game whose start was not received."""
        if self._index is None:
            self._index, self._due_ms = index, at_ms
            return None
        if index <= self._index:
            return None
        due_ms = self._due_ms + (index - self._index) * self._interval_ms
        late_ms = at_ms - due_ms
        self._index = index
        self._due_ms = at_ms if late_ms >= self._interval_ms else due_ms
        return late_ms


class Games:
    """The games that the players of this process are in."""

    def __init__(self, interval_ms: float) -> None:
        self._interval_ms = interval_ms
        self._schedules: dict[str, CallSchedule] = {}

    def schedule(self, lobby_id: str) -> CallSchedule:
        """The schedule of a lobby, one for all who listen."""
        return self._schedules.setdefault(lobby_id, CallSchedule(self._interval_ms))

    def end(self, lobby_id: str) -> None:
        """The game is over."""
        self._schedules.pop(lobby_id, None)

    @property
    def lobby_ids(self) -> list[str]:
        """The lobbies whose games are not over."""
        return list(self._schedules)
