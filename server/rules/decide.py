"""What a command does to a lobby: the events that follow from it, or why it is refused.

Refusals of players come in a fixed order: no seat, removed, left, the wrong phase, not paid, then
the values.
"""

from collections.abc import Collection
from typing import assert_never

from protocol.errors import ErrorCode, Refused
from protocol.views import Status
from server.rules.commands import (
    ArrangeGrid,
    Claim,
    Command,
    Kick,
    Leave,
    MixBeacon,
    OpenLobby,
    SelectNumbers,
    TakeSeat,
    Tick,
    Void,
)
from server.rules.events import (
    BeaconChosen,
    Event,
    GridArranged,
    LobbyOpened,
    NumbersSelected,
    PlayerKicked,
    PlayerLeft,
    SeatTaken,
)
from server.rules.lobby import Lobby, Player
from server.rules.phases import (
    end_lapsed_seats,
    finish,
    finish_if_deserted,
    mix_beacon,
    start_if_all_ready,
    tick,
)
from server.rules.tickets import Complete, check_grid, check_numbers, judge
from server.rules.turn import Turn

_BEFORE_PLAY: tuple[Status, ...] = ("forming", "arranging")
_IN_PLAY: tuple[Status, ...] = ("active",)


def open_lobby(command: OpenLobby, now_ms: float) -> list[Event]:
    """The first events of a lobby; its first seat belongs into the same step. `now_ms` (Unix ms) is
    rounded down, as in `decide`."""
    created_at = int(now_ms)
    opened = LobbyOpened(
        lobby_id=command.lobby_id,
        buy_in_amount=command.buy_in_amount,
        variant=command.variant,
        server_seed=command.server_seed,
        created_at=created_at,
        deadline=created_at + command.variant.formation_ms,
    )
    beacon = command.beacon
    return [opened, *([BeaconChosen(beacon.chain, beacon.patience_ms)] if beacon else [])]


def decide(lobby: Lobby, command: Command, now_ms: float) -> list[Event] | Refused:
    """The events that `command` leads to at `now_ms`, possibly none, or a refusal. `now_ms` (Unix
    ms) is rounded down: events carry whole milliseconds.

    Raises IllegalStep if the rules themselves contradict the lifecycle.
    """
    turn = Turn(lobby)
    refused = _carry_out(turn, command, int(now_ms))
    return turn.events if refused is None else refused


def _carry_out(turn: Turn, command: Command, now_ms: int) -> Refused | None:
    match command:
        case Tick():
            tick(turn, now_ms)
            return None
        case MixBeacon():
            mix_beacon(turn, command, now_ms)
            return None
        case TakeSeat():
            return _take_seat(turn, command, now_ms)
        case SelectNumbers():
            return _select_numbers(turn, command)
        case ArrangeGrid():
            return _arrange_grid(turn, command, now_ms)
        case Claim():
            return _claim(turn, command, now_ms)
        case Leave():
            return _leave(turn, command, now_ms)
        case Kick():
            return _kick(turn, command)
        case Void():
            return _void(turn, now_ms)
        case OpenLobby():
            raise ValueError("a lobby that exists cannot be opened")
    assert_never(command)


def _take_seat(turn: Turn, command: TakeSeat, now_ms: int) -> Refused | None:
    if turn.lobby.status != "forming":
        return Refused(ErrorCode.LOBBY_CLOSED)
    seated = turn.lobby.players.get(command.alien_id)
    if seated is not None and (seated.paid or seated.expires_at > now_ms):
        return None
    end_lapsed_seats(turn, now_ms)
    if turn.lobby.full:
        return Refused(ErrorCode.LOBBY_FULL)
    turn.add(
        SeatTaken(
            alien_id=command.alien_id,
            client_seed=command.client_seed,
            invoice_id=command.invoice_id,
            joined_at=now_ms,
            expires_at=now_ms + turn.lobby.variant.seat_ms,
            takes_test=command.takes_test,
        )
    )
    return None


def _player(
    lobby: Lobby, alien_id: str, phases: Collection[Status], *, paid: bool = True
) -> Player | Refused:
    player = lobby.players.get(alien_id)
    if player is None:
        return Refused(ErrorCode.NOT_SEATED)
    if player.kicked:
        return Refused(ErrorCode.REMOVED_FROM_GAME)
    if not player.active:
        return Refused(ErrorCode.NOT_ACTIVE)
    if lobby.status not in phases:
        return Refused(ErrorCode.WRONG_STATUS, {"status": lobby.status})
    if paid and not player.paid:
        return Refused(ErrorCode.NOT_PAID)
    return player


def _select_numbers(turn: Turn, command: SelectNumbers) -> Refused | None:
    player = _player(turn.lobby, command.alien_id, _BEFORE_PLAY)
    if isinstance(player, Refused):
        return player
    if player.ready:
        return Refused(ErrorCode.ALREADY_ARRANGED)
    refused = check_numbers(command.numbers, turn.lobby.variant)
    if refused is None and player.numbers != command.numbers:
        turn.add(NumbersSelected(command.alien_id, command.numbers))
    return refused


def _arrange_grid(turn: Turn, command: ArrangeGrid, now_ms: int) -> Refused | None:
    player = _player(turn.lobby, command.alien_id, _BEFORE_PLAY)
    if isinstance(player, Refused):
        return player
    refused = check_grid(command.grid, player.numbers, turn.lobby.variant)
    if refused is None and player.grid != command.grid:
        turn.add(GridArranged(command.alien_id, command.grid))
        if turn.lobby.status == "arranging":
            start_if_all_ready(turn, now_ms)
    return refused


def _claim(turn: Turn, command: Claim, now_ms: int) -> Refused | None:
    if turn.lobby.winner == command.alien_id:  # a repeated claim, whose first answer was lost
        return None
    player = _player(turn.lobby, command.alien_id, _IN_PLAY)
    if isinstance(player, Refused):
        return player
    patterns = turn.lobby.variant.patterns
    verdict = judge(player.grid or (), frozenset(turn.lobby.called), patterns)
    if isinstance(verdict, Complete):
        finish(turn, now_ms, "won", player.alien_id, verdict.pattern)
    else:
        turn.add(PlayerKicked(player.alien_id, verdict.missing_numbers))
        finish_if_deserted(turn, now_ms)
    return None


def _leave(turn: Turn, command: Leave, now_ms: int) -> Refused | None:
    player = _player(turn.lobby, command.alien_id, _BEFORE_PLAY + _IN_PLAY, paid=False)
    if isinstance(player, Refused):
        return player
    turn.add(PlayerLeft(player.alien_id, "left"))
    if turn.lobby.status == "arranging":
        start_if_all_ready(turn, now_ms)
    elif turn.lobby.status == "active":
        finish_if_deserted(turn, now_ms)
    return None


def _kick(turn: Turn, command: Kick) -> Refused | None:
    if turn.lobby.status != "forming":
        return Refused(ErrorCode.WRONG_STATUS, {"status": turn.lobby.status})
    if command.alien_id not in turn.lobby.players:
        return Refused(ErrorCode.NOT_SEATED)
    turn.add(PlayerLeft(command.alien_id, "kicked"))
    return None


def _void(turn: Turn, now_ms: int) -> Refused | None:
    if turn.lobby.status == "finished":
        return Refused(ErrorCode.WRONG_STATUS, {"status": turn.lobby.status})
    finish(turn, now_ms, "voided")
    return None
