"""When each number is called, and when there are no more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.rules.commands import Claim, Leave
from server.rules.events import GameFinished, GameStarted
from server.rules.lobby import due_at
from server.rules.variants import Variant
from tests.rules.games import (
    CLASSIC,
    GRAND,
    Game,
    active,
    arranging,
    kinds,
)

INTERVAL = CLASSIC.call_interval_ms


def started_at(game: Game) -> int:
    """When a game became active."""
    assert game.lobby.started_at is not None
    return game.lobby.started_at


def test_the_first_number_is_called_one_interval_after_the_start() -> None:
    game = active("ann", "bob")
    assert game.tick(after_ms=INTERVAL - 1) == []
    assert kinds(game.tick(after_ms=1)) == ["NumberCalled"]
    assert game.lobby.called == game.lobby.order[:1]


@given(st.lists(st.floats(0, INTERVAL - 1), min_size=50, max_size=50))
def test_call_k_is_due_k_intervals_after_the_start_however_late_the_calls_are(
    lateness_ms: list[float],
) -> None:
    game = active("ann", "bob")
    for k, late_ms in enumerate(lateness_ms, start=1):
        assert due_at(game.lobby) == started_at(game) + k * INTERVAL
        game.tick_when_due(late_ms=late_ms)
        assert len(game.lobby.called) == k


@pytest.mark.parametrize("late_ms", [INTERVAL, INTERVAL + 1, 10 * INTERVAL + 7])
def test_after_an_outage_the_next_call_is_one_interval_after_the_late_one(late_ms: int) -> None:
    game = active("ann", "bob")
    game.tick_when_due(late_ms=late_ms)
    assert len(game.lobby.called) == 1
    assert game.tick() == []
    assert due_at(game.lobby) == game.now_ms + INTERVAL


@pytest.mark.parametrize("variant", [CLASSIC, GRAND], ids=lambda v: v.name)
def test_nobody_has_won_one_interval_after_the_last_number(variant: Variant) -> None:
    game = active("ann", "bob", variant=variant)
    highest = game.lobby.variant.highest
    for _ in range(highest):
        assert kinds(game.tick_when_due()) == ["NumberCalled"]
    end = started_at(game) + (highest + 1) * INTERVAL
    assert due_at(game.lobby) == end
    assert game.tick_when_due() == [GameFinished("no_winner", None, None, end)]
    assert sorted(game.lobby.called) == [*range(1, highest + 1)]


def test_when_everybody_left_nobody_has_won() -> None:
    game = active("ann", "bob")
    game.do(Leave("ann"))
    assert game.lobby.status == "active"
    assert kinds(game.do(Leave("bob"))) == ["PlayerLeft", "GameFinished"]
    assert game.lobby.outcome == "no_winner"


def test_when_the_last_player_was_kicked_nobody_has_won() -> None:
    game = active("ann", "bob", "cy")
    game.do(Leave("ann"))
    assert kinds(game.do(Claim("bob"))) == ["PlayerKicked"]
    assert kinds(game.do(Claim("cy"))) == ["PlayerKicked", "GameFinished"]
    assert game.lobby.outcome == "no_winner"


def test_a_single_remaining_player_must_still_claim() -> None:
    game = active("ann", "bob")
    game.do(Leave("ann"))
    assert kinds(game.tick_when_due()) == ["NumberCalled"]


def test_nothing_is_due_after_the_end() -> None:
    game = active("ann", "bob")
    game.do(Leave("ann"))
    game.do(Leave("bob"))
    assert due_at(game.lobby) is None
    assert game.tick(after_ms=10**9) == []


def test_the_start_is_sent_in_whole_milliseconds() -> None:
    game = arranging("ann", "bob")
    started = game.tick_when_due(late_ms=0.7)[-1]
    assert isinstance(started, GameStarted)
    assert started.started_at == int(game.now_ms)
