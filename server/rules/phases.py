"""How a game moves on: from forming to arranging, to the first number, to its end."""

from collections.abc import Iterable

from protocol.views import LeaveReason, Outcome
from server.rules.draw import mix_entropy, server_grid
from server.rules.events import (
    ArrangingBegan,
    FormingExtended,
    GameFinished,
    GameStarted,
    GridArranged,
    NumberCalled,
    PlayerLeft,
)
from server.rules.lobby import Lobby, Player, is_due
from server.rules.turn import Turn


def begin_if_complete(turn: Turn, now: int) -> None:
    """Begin arranging when every seat that the variant has is paid."""
    if sum(1 for _ in turn.lobby.paid_players()) == turn.lobby.variant.max_players:
        begin_arranging(turn, now)


def begin_arranging(turn: Turn, now: int) -> None:
    """Unpaid seats leave; the others arrange until the deadline, or are ready already."""
    _vacate(turn, [p for p in turn.lobby.players.values() if not p.paid], "unpaid")
    turn.add(ArrangingBegan(now + turn.lobby.variant.arranging_ms))
    start_if_all_ready(turn, now)


def end_lapsed_seats(turn: Turn, now: int) -> None:
    """While forming, free the seats that were not paid in time."""
    unpaid = [p for p in turn.lobby.players.values() if not p.paid]
    _vacate(turn, [p for p in unpaid if p.expires_at <= now], "expired")


def start_if_all_ready(turn: Turn, now: int) -> None:
    """Start when nobody who still plays has a grid to arrange."""
    if all(player.ready for player in turn.lobby.active_players()):
        start(turn, now)


def start(turn: Turn, now: int) -> None:
    """Arrange for those who have not, fix the order of the numbers, and let the clock run."""
    for player in turn.lobby.players.values():
        if player.grid is None:
            turn.add(_arranged_by_server(turn.lobby, player))
    entropy = mix_entropy(
        (p.alien_id, p.client_seed, p.grid) for p in turn.lobby.paid_players() if p.grid is not None
    )
    turn.add(GameStarted(entropy, now, now + turn.lobby.variant.call_interval_ms))
    finish_if_deserted(turn, now)


def finish_if_deserted(turn: Turn, now: int) -> None:
    """With nobody left active the house keeps the pot."""
    if not any(turn.lobby.active_players()):
        finish(turn, now, "no_winner")


def finish(
    turn: Turn, now: int, outcome: Outcome, winner: str | None = None, pattern: str | None = None
) -> None:
    """End the game or, while forming, cancel it."""
    turn.add(GameFinished(outcome, winner, pattern, now))


def tick(turn: Turn, now: int) -> None:
    """Do what time alone demands of the lobby by `now` (Unix ms)."""
    if turn.lobby.status == "forming":
        _tick_forming(turn, now)
    elif turn.lobby.status == "arranging":
        if is_due(turn.lobby.deadline, turn.lobby.variant.arranging_ms, now):
            start(turn, now)
    elif turn.lobby.status == "active" and is_due(
        turn.lobby.next_call_at, turn.lobby.variant.call_interval_ms, now
    ):
        _call(turn, now)


def _tick_forming(turn: Turn, now: int) -> None:
    end_lapsed_seats(turn, now)
    if is_due(turn.lobby.deadline, turn.lobby.variant.formation_ms, now):
        _end_seats_of_before(turn, now)
        if sum(1 for _ in turn.lobby.paid_players()) >= turn.lobby.variant.min_players:
            begin_arranging(turn, now)
        elif now < turn.lobby.closes_at:
            turn.add(FormingExtended(now + turn.lobby.variant.formation_ms))
    if turn.lobby.status == "forming" and now >= turn.lobby.closes_at:
        finish(turn, now, "cancelled")


def _end_seats_of_before(turn: Turn, now: int) -> None:
    """Free the unpaid seats that would end too far away, since the clock was set back: when the
    time to form is up, they have been held for long enough."""
    unpaid = [p for p in turn.lobby.players.values() if not p.paid]
    seat_ms = turn.lobby.variant.seat_ms
    _vacate(turn, [p for p in unpaid if is_due(p.expires_at, seat_ms, now)], "expired")


def _vacate(turn: Turn, players: Iterable[Player], reason: LeaveReason) -> None:
    for player in players:
        turn.add(PlayerLeft(player.alien_id, reason))


def _arranged_by_server(lobby: Lobby, player: Player) -> GridArranged:
    grid = server_grid(
        bytes.fromhex(lobby.server_seed),
        lobby.lobby_id,
        player.alien_id,
        player.numbers,
        side=lobby.variant.side,
        highest=lobby.variant.highest,
    )
    return GridArranged(
        player.alien_id, grid, by_server="picked" if player.numbers is None else "arranged"
    )


def _call(turn: Turn, now: int) -> None:
    called = len(turn.lobby.called)
    if called == turn.lobby.variant.highest:
        finish(turn, now, "no_winner")
    else:
        turn.add(NumberCalled(turn.lobby.order[called], _next_call_at(turn.lobby, now)))


def _next_call_at(lobby: Lobby, now: int) -> int:
    """One interval after this call was due, so that calls do not drift; after an outage of an
    interval or more, or when the clock was set back, one interval from now, so that none is made up
    for in a hurry."""
    due = lobby.next_call_at or now
    interval = lobby.variant.call_interval_ms
    return due + interval if 0 <= now - due < interval else now + interval
