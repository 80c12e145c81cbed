"""A turn: the events decided so far, and the lobby as it stands after them."""

from server.rules.events import Event
from server.rules.evolve import evolve
from server.rules.lobby import Lobby


class Turn:
    """Collects events; each is decided on the lobby that the earlier ones lead to."""

    def __init__(self, lobby: Lobby) -> None:
        self.lobby = lobby
        self.events: list[Event] = []

    def add(self, event: Event) -> None:
        """Take `event` as happened. Raises IllegalStep if the lifecycle does not allow it."""
        self.lobby = evolve(self.lobby, event)
        self.events.append(event)
