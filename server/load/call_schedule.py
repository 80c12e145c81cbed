"""When the calls of a game are due, and how late each was stored, by the store's clock."""


class CallSchedule:
    """The schedule of one game: a call is due every `interval_ms` from its start on, or from the
    first call that is received. After one that is late by an interval or more, the next is due one
    interval after that one, as on the server. `at_ms` are the events' `at` (Unix time)."""

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
        """By how many ms the `index`-th call (1 is the first) was late; negative if it was early.
        None for one that was received before, and for the first that is received of a game whose
        start was not."""
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
    """The schedules of the games that the players of this process are in, by lobby."""

    def __init__(self, interval_ms: float) -> None:
        self._interval_ms = interval_ms
        self._schedules: dict[str, CallSchedule] = {}

    def schedule(self, lobby_id: str) -> CallSchedule:
        """The schedule of a lobby, which all who receive its events share; a new one if need be."""
        return self._schedules.setdefault(lobby_id, CallSchedule(self._interval_ms))

    def end(self, lobby_id: str) -> None:
        """Forget a lobby, whose game is over. Nothing happens if that was done before."""
        self._schedules.pop(lobby_id, None)

    @property
    def lobby_ids(self) -> list[str]:
        """The lobbies whose games are not over."""
        return list(self._schedules)
