"""The fold: a lobby after one more event. Nothing is decided here."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import reduce
from typing import Any, TypeVar, assert_never

from protocol.views import Status
from server.rules.beacon import LobbyBeacon, mixed, randomness
from server.rules.draw import call_order
from server.rules.events import (
    CALLED_OFF,
    ArrangingBegan,
    BeaconAwaited,
    BeaconChosen,
    BeaconMixed,
    Event,
    FormingExtended,
    GameFinished,
    GameStarted,
    GridArranged,
    LobbyOpened,
    NumberCalled,
    NumbersSelected,
    PlayerKicked,
    PlayerLeft,
    SeatPaid,
    SeatTaken,
)
from server.rules.lifecycle import IllegalStep, next_status
from server.rules.lobby import Lobby, Player

T = TypeVar("T", Lobby, Player)


def evolve(lobby: Lobby | None, event: Event) -> Lobby:
    """The lobby after `event`; None is a lobby that is not open yet.

    Raises IllegalStep, and changes nothing, when the lifecycle does not allow it.
    """
    status = next_status(None if lobby is None else lobby.status, event)
    if isinstance(event, LobbyOpened):
        return _opened(event)
    if lobby is None:
        raise IllegalStep(f"{type(event).__name__} in no lobby")
    changes = _changes(lobby, event, status)
    changes["status"] = status
    return _but(lobby, changes)


def fold(events: Iterable[Event]) -> Lobby | None:
    """The lobby that these events lead to; None without any."""
    return reduce(evolve, events, None)


def folded(events: Iterable[Event]) -> Lobby:
    """The lobby that these events, from its opening on, lead to."""
    lobby = fold(events)
    if lobby is None:
        raise IllegalStep("nothing in no lobby")
    return lobby


def _opened(event: LobbyOpened) -> Lobby:
    return Lobby(
        lobby_id=event.lobby_id,
        buy_in_amount=event.buy_in_amount,
        variant=event.variant,
        server_seed=event.server_seed,
        created_at=event.created_at,
        deadline=event.deadline,
        players={},
        invoices={},
    )


def _changes(lobby: Lobby, event: Event, status: Status) -> dict[str, Any]:
    match event:
        # Most are calls: whatever stands before them is tried for each.
        case NumberCalled(number=number, next_call_at=next_call_at):
            if lobby.awaited is not None:
                raise IllegalStep("NumberCalled before the beacon is there")
            return {"called": (*lobby.called, number), "next_call_at": next_call_at}
        case BeaconChosen() | BeaconAwaited() | BeaconMixed():
            return _beacon(lobby, event)
        case SeatTaken():
            return _seat_taken(lobby, event)
        case SeatPaid(alien_id=alien_id, invoice_id=invoice_id, test=test):
            paid = _with(lobby, alien_id, paid=True, invoice_id=invoice_id, test=test)
            invoices = {**lobby.invoices, alien_id: invoice_id}
            return paid | {"invoices": invoices, "pot": lobby.pot + lobby.buy_in_amount}
        case PlayerLeft():
            return _player_left(lobby, event, status)
        case FormingExtended(deadline=deadline) | ArrangingBegan(deadline=deadline):
            return {"deadline": deadline}
        case NumbersSelected(alien_id=alien_id, numbers=numbers):
            return _with(lobby, alien_id, numbers=numbers)
        case GridArranged():
            return _grid_arranged(lobby, event)
        case GameStarted():
            return _game_started(lobby, event)
        case PlayerKicked(alien_id=alien_id):
            return _with(lobby, alien_id, active=False, kicked=True)
        case GameFinished():
            return _game_finished(lobby, event)
        case LobbyOpened():
            raise IllegalStep("a lobby opens once")
    assert_never(event)


def _but(before: T, changes: Mapping[str, Any]) -> T:
    # As dataclasses.replace has it, at a fifth of the cost: every event of every game does this.
    after: T = object.__new__(type(before))
    after.__dict__.update(before.__dict__)
    after.__dict__.update(changes)
    return after


def _with(lobby: Lobby, alien_id: str, **changes: Any) -> dict[str, Any]:
    player = _but(lobby.players[alien_id], changes)
    return {"players": {**lobby.players, alien_id: player}}


def _seat_taken(lobby: Lobby, event: SeatTaken) -> dict[str, Any]:
    player = Player(
        alien_id=event.alien_id,
        client_seed=event.client_seed,
        invoice_id=event.invoice_id,
        joined_at=event.joined_at,
        expires_at=event.expires_at,
    )
    return {
        "players": {**lobby.players, event.alien_id: player},
        "invoices": {**lobby.invoices, event.alien_id: event.invoice_id},
    }


def _player_left(lobby: Lobby, event: PlayerLeft, status: Status) -> dict[str, Any]:
    if status != "forming":
        return _with(lobby, event.alien_id, active=False)
    refunded = lobby.buy_in_amount if lobby.players[event.alien_id].paid else 0
    others = {k: v for k, v in lobby.players.items() if k != event.alien_id}
    return {"players": others, "pot": lobby.pot - refunded}


def _grid_arranged(lobby: Lobby, event: GridArranged) -> dict[str, Any]:
    chosen = lobby.players[event.alien_id].numbers
    return _with(
        lobby,
        event.alien_id,
        grid=event.grid,
        numbers=chosen or tuple(number for row in event.grid for number in row),
    )


def _game_started(lobby: Lobby, event: GameStarted) -> dict[str, Any]:
    if lobby.beacon is not None:
        raise IllegalStep("GameStarted without the beacon that the lobby opened with")
    seed = bytes.fromhex(lobby.server_seed)
    return {
        "entropy": event.entropy,
        "order": call_order(seed, lobby.lobby_id, event.entropy, lobby.variant.highest),
        "started_at": event.started_at,
        "next_call_at": event.next_call_at,
        "deadline": None,
    }


def _beacon(lobby: Lobby, event: BeaconChosen | BeaconAwaited | BeaconMixed) -> dict[str, Any]:
    beacon = lobby.beacon
    match event:
        case BeaconChosen() if beacon is None:
            return {"beacon": LobbyBeacon(chain=event.chain, patience_ms=event.patience_ms)}
        case BeaconAwaited() if beacon is not None:
            return {
                "beacon": replace(beacon, round=event.round),
                "entropy": event.entropy,
                "started_at": event.started_at,
                "next_call_at": event.next_call_at,
                "deadline": None,
            }
        case BeaconMixed() if lobby.awaited is not None and lobby.awaited.round == event.round:
            beacon = replace(lobby.awaited, signature=event.signature)
            return {
                "beacon": beacon,
                "order": call_order(
                    bytes.fromhex(lobby.server_seed),
                    lobby.lobby_id,
                    mixed(lobby.entropy or "", randomness(event.signature)),
                    lobby.variant.highest,
                ),
                "next_call_at": event.next_call_at,
            }
    raise IllegalStep(f"{type(event).__name__} in a lobby whose beacon is {beacon!r}")


def _game_finished(lobby: Lobby, event: GameFinished) -> dict[str, Any]:
    return {
        "outcome": event.outcome,
        "winner": event.winner,
        "pattern": event.pattern,
        "finished_at": event.finished_at,
        "log_hash": event.log_hash,
        "pot": 0 if event.outcome in CALLED_OFF else lobby.pot,
        "deadline": None,
        "next_call_at": None,
    }
