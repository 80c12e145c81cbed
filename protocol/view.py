"""The view fold: what a client knows of a lobby after one more event of its room."""

from typing import Any

from protocol.room_events import RoomMessage
from protocol.to_client import (
    BeaconMixed,
    GameFinished,
    NumberCalled,
    PlayerEvent,
    PlayerJoined,
    PlayerKicked,
    PlayerLeft,
    PlayerPaid,
    PlayerReady,
    StatusChanged,
)
from protocol.views import LobbyView, PlayerView


def fold_event(view: LobbyView, message: RoomMessage) -> LobbyView:
    """The lobby after `message`, the next one after those that `view` includes: the same as the
    server shows then."""
    changes = _changes(view, message)
    if "players" in changes:
        changes["active_players"] = sum(player.active for player in changes["players"])
    return view.model_copy(update={**changes, "seq": message.seq})


def _changes(view: LobbyView, event: RoomMessage) -> dict[str, Any]:
    match event:
        case PlayerEvent():
            return {
                "players": _seats(view, event),
                "player_count": event.player_count,
                "pot": event.pot,
            }
        case PlayerKicked():
            return {"players": _with(view, event.alien_id, active=False)}
        case StatusChanged(status="active", beacon=beacon):
            started = {"status": "active", "deadline": None, "started_at": int(event.at)}
            return started | ({} if beacon is None else {"beacon": beacon})
        case BeaconMixed():
            return {}
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
                "finished_at": int(event.at),
                "deadline": None,
            }
    return {}  # an OtherEvent


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
