"""The view fold: what a client knows of a lobby after one more event of its room."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocol.reading import read
from protocol.to_client import (
    ROOM_EVENTS,
    GameFinished,
    NumberCalled,
    PlayerEvent,
    PlayerJoined,
    PlayerKicked,
    PlayerLeft,
    PlayerPaid,
    PlayerReady,
    RoomEvent,
    StatusChanged,
)
from protocol.views import LobbyView, PlayerView


@dataclass(frozen=True, slots=True)
class RoomMessage:
    """A room event as it was sent: the `seq`-th of its lobby, stored at `at` (Unix ms)."""

    seq: int
    at: float
    event: RoomEvent


def read_room_message(name: str, message: Mapping[str, Any]) -> RoomMessage:
    """The message that came under this name. Raises KeyError if it is no room event's, and
    pydantic.ValidationError if the fields are not that event's."""
    fields = {field: value for field, value in message.items() if field not in ("seq", "at")}
    event = read(ROOM_EVENTS[name], fields)
    return RoomMessage(message["seq"], message["at"], event)


def fold_event(view: LobbyView, message: RoomMessage) -> LobbyView:
    """The lobby after `message`, the next one after those that `view` includes: the same as the
    server shows then."""
    changes = _changes(view, message.event, message.at)
    if "players" in changes:
        changes["active_players"] = sum(player.active for player in changes["players"])
    return view.model_copy(update={**changes, "seq": message.seq})


def _changes(view: LobbyView, event: RoomEvent, at: float) -> dict[str, Any]:
    match event:
        case PlayerEvent():
            return {
                "players": _seats(view, event),
                "player_count": event.player_count,
                "pot": event.pot,
            }
        case PlayerKicked():
            return {"players": _with(view, event.alien_id, active=False)}
        case StatusChanged(status="active"):
            return {"status": "active", "deadline": None, "started_at": int(at)}
        case StatusChanged():
            return {"status": event.status, "deadline": event.deadline}
        case NumberCalled():
            return {"latest_number": event.number, "previous_number": event.previous}
        case GameFinished():
            return {
                "status": "finished",
                "outcome": event.outcome,
                "winner": event.winner,
                "pot": event.pot,
                "finished_at": int(at),
                "deadline": None,
            }
    raise TypeError(f"{type(event).__name__} is no room event")


def _seats(view: LobbyView, event: PlayerEvent) -> list[PlayerView]:
    match event:
        case PlayerJoined():
            seat = PlayerView(alien_id=event.alien_id, paid=False, ready=False, active=True)
            return [*view.players, seat]
        case PlayerPaid():
            return _with(view, event.alien_id, paid=True)
        case PlayerReady():
            return _with(view, event.alien_id, ready=True)
        case PlayerLeft() if view.status == "forming":
            return [player for player in view.players if player.alien_id != event.alien_id]
        case PlayerLeft():
            return _with(view, event.alien_id, active=False)
    raise TypeError(f"{type(event).__name__} is no event of a player")


def _with(view: LobbyView, alien_id: str, **changes: bool) -> list[PlayerView]:
    return [
        player.model_copy(update=changes) if player.alien_id == alien_id else player
        for player in view.players
    ]
