"""How a game moves on: from forming to arranging, to the first number, to its end."""

from collections.abc import Iterable

from protocol.views import LeaveReason, Outcome
from server.rules.beacon import LobbyBeacon, verifies
from server.rules.commands import MixBeacon
from server.rules.draw import mix_entropy, server_grid
from server.rules.events import (
    ArrangingBegan,
    BeaconAwaited,
    BeaconMixed,
    FormingExtended,
    GameFinished,
    GameStarted,
    GridArranged,
    NumberCalled,
    PlayerLeft,
)
from server.rules.lobby import Lobby, Player, is_due
from server.rules.turn import Turn


def begin_if_complete(turn: Turn, now_ms: int) -> None:
    """Begin arranging when every seat that the variant has is paid."""
    if sum(1 for _ in turn.lobby.paid_players()) == turn.lobby.variant.max_players:
        begin_arranging(turn, now_ms)


def begin_arranging(turn: Turn, now_ms: int) -> None:
    """Unpaid seats leave; the others arrange until the deadline, or are ready already."""
    _vacate(turn, [p for p in turn.lobby.players.values() if not p.paid], "unpaid")
    turn.add(ArrangingBegan(now_ms + turn.lobby.variant.arranging_ms))
    start_if_all_ready(turn, now_ms)


def end_lapsed_seats(turn: Turn, now_ms: int) -> None:
    """While forming, free the seats that were not paid in time."""
    unpaid = [p for p in turn.lobby.players.values() if not p.paid]
    _vacate(turn, [p for p in unpaid if p.expires_at <= now_ms], "expired")


def start_if_all_ready(turn: Turn, now_ms: int) -> None:
    """Start when nobody who still plays has a grid to arrange."""
    if all(player.ready for player in turn.lobby.active_players()):
        start(turn, now_ms)


def start(turn: Turn, now_ms: int) -> None:
    """Arrange for those who have not, fix the order of the numbers, or what it follows from once
    the beacon's value is there, and let the clock run."""
    for player in turn.lobby.players.values():
        if player.grid is None:
            turn.add(_arranged_by_server(turn.lobby, player))
    entropy = mix_entropy(
        (p.alien_id, p.client_seed, p.grid) for p in turn.lobby.paid_players() if p.grid is not None
    )
    beacon = turn.lobby.beacon
    if beacon is None:
        turn.add(GameStarted(entropy, now_ms, now_ms + turn.lobby.variant.call_interval_ms))
    else:
        # From the start, not from the last grid if that is older: who leaves while forming changes
        # the entropy too.
        round = beacon.chain.round_after(now_ms)
        look_at = min(beacon.chain.time_ms(round), now_ms + beacon.patience_ms)
        turn.add(BeaconAwaited(entropy, round, now_ms, look_at))
    finish_if_deserted(turn, now_ms)


def finish_if_deserted(turn: Turn, now_ms: int) -> None:
    """End the game without a winner, the pot being kept, when nobody is left active."""
    if not any(turn.lobby.active_players()):
        finish(turn, now_ms, "no_winner")


def finish(
    turn: Turn, now_ms: int, outcome: Outcome, winner: str | None = None, pattern: str | None = None
) -> None:
    """End the game or, with an outcome that calls it off, end it before or while it is played."""
    turn.add(GameFinished(outcome, winner, pattern, now_ms))


def tick(turn: Turn, now_ms: int) -> None:
    """Do what time alone demands of the lobby by `now_ms` (Unix ms)."""
    if turn.lobby.status == "forming":
        _tick_forming(turn, now_ms)
    elif turn.lobby.status == "arranging":
        if is_due(turn.lobby.deadline, turn.lobby.variant.arranging_ms, now_ms):
            start(turn, now_ms)
    elif turn.lobby.awaited is not None:
        _void_if_too_late(turn, turn.lobby.awaited, now_ms)
    elif turn.lobby.status == "active" and is_due(
        turn.lobby.next_call_at, turn.lobby.variant.call_interval_ms, now_ms
    ):
        _call(turn, now_ms)


def mix_beacon(turn: Turn, command: MixBeacon, now_ms: int) -> None:
    """Fix the order of the numbers by the value of the round that the start named, and go on. What
    is not its verified signature, or comes too late, changes nothing of that."""
    awaited = turn.lobby.awaited
    if (
        awaited is not None
        and awaited.round == command.round
        and verifies(awaited.chain.public_key, command.round, command.signature)
    ):
        _void_if_too_late(turn, awaited, now_ms)
        if turn.lobby.status == "active":
            first_due = (turn.lobby.started_at or 0) + turn.lobby.variant.call_interval_ms
            turn.add(BeaconMixed(command.round, command.signature, max(first_due, now_ms)))
    tick(turn, now_ms)


def _void_if_too_late(turn: Turn, beacon: LobbyBeacon, now_ms: int) -> None:
    too_late_at = (turn.lobby.started_at or 0) + beacon.patience_ms
    # The interval is twice what it is, so that a clock that is set back a little takes nobody's
    # game away, and one that is set back by far holds nobody's money.
    if is_due(too_late_at, 2 * beacon.patience_ms, now_ms):
        finish(turn, now_ms, "voided")


def _tick_forming(turn: Turn, now_ms: int) -> None:
    end_lapsed_seats(turn, now_ms)
    if is_due(turn.lobby.deadline, turn.lobby.variant.formation_ms, now_ms):
        _end_seats_of_set_back_clock(turn, now_ms)
        if sum(1 for _ in turn.lobby.paid_players()) >= turn.lobby.variant.min_players:
            begin_arranging(turn, now_ms)
        elif now_ms < turn.lobby.closes_at:
            turn.add(FormingExtended(now_ms + turn.lobby.variant.formation_ms))
    if turn.lobby.status == "forming" and now_ms >= turn.lobby.closes_at:
        finish(turn, now_ms, "cancelled")


def _end_seats_of_set_back_clock(turn: Turn, now_ms: int) -> None:
    """Free the unpaid seats that a clock that was set back since would hold for too long: they have
    been held since before the deadline, which has passed."""
    unpaid = [p for p in turn.lobby.players.values() if not p.paid]
    seat_ms = turn.lobby.variant.seat_ms
    _vacate(turn, [p for p in unpaid if is_due(p.expires_at, seat_ms, now_ms)], "expired")


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


def _call(turn: Turn, now_ms: int) -> None:
    called = len(turn.lobby.called)
    if called == turn.lobby.variant.highest:
        finish(turn, now_ms, "no_winner")
    else:
        turn.add(NumberCalled(turn.lobby.order[called], _next_call_at(turn.lobby, now_ms)))


def _next_call_at(lobby: Lobby, now_ms: int) -> int:
    """One interval after this call was due, so that calls do not drift; after an outage of an
    interval or more, or when the clock was set back, one interval from now, so that missed calls
    are not made up for in quick succession."""
    due_ms = lobby.next_call_at or now_ms
    interval_ms = lobby.variant.call_interval_ms
    on_time = 0 <= now_ms - due_ms < interval_ms
    return (due_ms if on_time else now_ms) + interval_ms
