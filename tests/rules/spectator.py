"""A spectator, who keeps count of what is sent to the room and knows nothing else."""

from typing import assert_never

from protocol.to_client import (
    BeaconMixed,
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
    BeaconMixed
    | PlayerJoined
    | PlayerPaid
    | PlayerReady
    | PlayerLeft
    | StatusChanged
    | NumberCalled
    | PlayerKicked
    | GameFinished
)


class Spectator:
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
        self.round: int | None = None
        self.mixed = False
        self.end: GameFinished | None = None

    def receive(self, event: RoomEvent) -> None:
        """Take note of one event, and check the counts in it."""
        assert isinstance(event, AnyRoomEvent)
        assert self.end is None, "nothing is sent after the end"
        self._note(event)
        if isinstance(event, PlayerJoined | PlayerPaid | PlayerReady | PlayerLeft):
            assert (event.player_count, event.pot) == (len(self.seated), self.pot)

    def _note(self, event: AnyRoomEvent) -> None:
        match event:
            case PlayerJoined():
                assert event.alien_id not in self.seated
                self.seated.add(event.alien_id)
            case PlayerPaid():
                assert event.alien_id in self.seated - self.paid
                self.paid.add(event.alien_id)
                self.pot += self.buy_in
            case PlayerReady():
                assert event.alien_id in self.paid - self.ready
                self.ready.add(event.alien_id)
            case PlayerLeft():
                self._note_leaving(event.alien_id)
            case StatusChanged():
                self.status = event.status
                self.round = None if event.beacon is None else event.beacon.round
            case BeaconMixed():
                assert self.status == "active"
                assert self.round == event.round
                assert not self.called
                self.mixed = True
            case NumberCalled():
                assert self.round is None or self.mixed, "the beacon comes before the first number"
                assert event.previous == (self.called[-1] if self.called else None)
                self.called.append(event.number)
                assert event.index == len(self.called)
            case PlayerKicked():
                self.kicked.add(event.alien_id)
                assert event.active_players == len(self.playing())
            case GameFinished():
                self.end, self.status = event, "finished"
                self.pot = 0 if event.outcome in ("cancelled", "voided") else self.pot
                assert event.pot == self.pot
            case _:
                assert_never(event)

    def playing(self) -> set[str]:
        """Those who still can win."""
        return self.seated - self.left - self.kicked

    def agrees_with(self, view: LobbyView) -> None:
        """Check the public view against everything that was sent."""
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
