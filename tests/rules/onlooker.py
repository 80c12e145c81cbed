"""Somebody in the room who keeps count of what is said there, and knows nothing else."""

from typing import assert_never

from protocol.to_client import (
    GameFinished,
    NumberCalled,
    PlayerJoined,
    PlayerKicked,
    PlayerLeft,
    PlayerPaid,
    PlayerReady,
    RoomEvent,
    StatusChanged,
)
from protocol.views import LobbyView

AnyRoomEvent = (
    PlayerJoined
    | PlayerPaid
    | PlayerReady
    | PlayerLeft
    | StatusChanged
    | NumberCalled
    | PlayerKicked
    | GameFinished
)


class Onlooker:
    """Sets and counters, moved by room events alone."""

    def __init__(self, buy_in: int) -> None:
        self.status = "forming"
        self.buy_in = buy_in
        self.pot = 0
        self.seated: set[str] = set()
        self.paid: set[str] = set()
        self.ready: set[str] = set()
        self.left: set[str] = set()
        self.kicked: set[str] = set()
        self.called: list[int] = []
        self.end: GameFinished | None = None

    def hear(self, said: RoomEvent) -> None:
        """Take note of one event, and check what it says of the numbers beside it."""
        assert isinstance(said, AnyRoomEvent)
        assert self.end is None, "nothing is said after the end"
        self._note(said)
        if isinstance(said, PlayerJoined | PlayerPaid | PlayerReady | PlayerLeft):
            assert (said.player_count, said.pot) == (len(self.seated), self.pot)

    def _note(self, said: AnyRoomEvent) -> None:
        match said:
            case PlayerJoined():
                assert said.alien_id not in self.seated
                self.seated.add(said.alien_id)
            case PlayerPaid():
                assert said.alien_id in self.seated - self.paid
                self.paid.add(said.alien_id)
                self.pot += self.buy_in
            case PlayerReady():
                assert said.alien_id in self.paid - self.ready
                self.ready.add(said.alien_id)
            case PlayerLeft():
                self._note_leaving(said.alien_id)
            case StatusChanged():
                self.status = said.status
            case NumberCalled():
                assert said.previous == (self.called[-1] if self.called else None)
                self.called.append(said.number)
                assert said.index == len(self.called)
            case PlayerKicked():
                self.kicked.add(said.alien_id)
                assert said.active_players == len(self.playing())
            case GameFinished():
                self.end, self.status = said, "finished"
                self.pot = 0 if said.outcome == "cancelled" else self.pot
                assert said.pot == self.pot
            case _:
                assert_never(said)

    def playing(self) -> set[str]:
        """Those who still can win."""
        return self.seated - self.left - self.kicked

    def agrees_with(self, view: LobbyView) -> None:
        """Check the public view against everything that was said."""
        assert view.status == self.status
        assert view.pot == self.pot
        assert view.player_count == len(self.seated)
        assert view.active_players == len(self.playing())
        assert {p.alien_id for p in view.players} == self.seated
        assert {p.alien_id for p in view.players if p.paid} == self.paid
        assert {p.alien_id for p in view.players if p.ready} == self.ready
        assert {p.alien_id for p in view.players if p.active} == self.playing()
        assert [view.previous_number, view.latest_number] == [None, None, *self.called][-2:]
        assert view.outcome == (self.end.outcome if self.end else None)
        assert view.winner == (self.end.winner if self.end else None)

    def _note_leaving(self, alien_id: str) -> None:
        assert alien_id in self.playing()
        if self.status != "forming":
            self.left.add(alien_id)
            return
        self.seated.remove(alien_id)
        self.ready.discard(alien_id)
        if alien_id in self.paid:
            self.paid.remove(alien_id)
            self.pot -= self.buy_in
