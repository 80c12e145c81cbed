"""When forming ends, and how."""

from dataclasses import replace

import pytest

from server.rules.events import FormingExtended
from server.rules.lobby import due_at
from tests.rules.games import (
    OPENED_AT_MS,
    Game,
    forming,
    kinds,
)


def test_forming_ends_the_forming_time_after_the_first_seat_with_enough_paid() -> None:
    game = forming("ann", "bob")
    assert game.lobby.deadline == OPENED_AT_MS + 120_000
    assert game.tick(after_ms=119_999.999) == []
    assert kinds(game.tick(after_ms=0.001)) == ["ArrangingBegan"]
    assert game.lobby.deadline == OPENED_AT_MS + 120_000 + 90_000


def test_a_player_who_comes_later_does_not_move_the_end_of_forming() -> None:
    game = forming("ann")
    game.now_ms += 100_000
    game.seat("bob")
    assert game.lobby.deadline == OPENED_AT_MS + 120_000


def test_unpaid_seats_leave_when_forming_ends() -> None:
    game = forming("ann", "bob")
    game.now_ms += 60_000
    game.sit("cy")
    assert kinds(game.tick_when_due()) == ["PlayerLeft", "ArrangingBegan"]
    assert [*game.lobby.players] == ["ann", "bob"]


@pytest.mark.parametrize("late_ms", [0, 700])
def test_with_too_few_paid_the_forming_time_starts_again(late_ms: int) -> None:
    game = forming("ann")
    now = OPENED_AT_MS + 120_000 + late_ms
    assert game.tick_when_due(late_ms=late_ms) == [FormingExtended(now + 120_000)]
    assert game.lobby.status == "forming"


def test_who_pays_during_an_extension_waits_for_its_end() -> None:
    game = forming("ann")
    game.tick_when_due()
    game.seat("bob")
    assert game.tick() == []
    assert kinds(game.tick_when_due()) == ["ArrangingBegan"]
    assert game.now_ms == OPENED_AT_MS + 240_000


@pytest.mark.parametrize("players", [(), ("ann",)])
def test_a_lobby_that_has_not_started_by_its_time_to_live_is_cancelled(
    players: tuple[str, ...],
) -> None:
    game = forming(*players)
    seen = []
    while game.lobby.status == "forming":
        seen += kinds(game.tick_when_due())
    assert game.now_ms == OPENED_AT_MS + 600_000
    assert seen == ["FormingExtended"] * 4 + ["GameFinished"]
    assert game.lobby.outcome == "cancelled"


def test_enough_paid_at_the_last_end_of_forming_start_instead_of_being_cancelled() -> None:
    game = forming("ann")
    for _ in range(4):
        game.tick_when_due()
    game.seat("bob")
    assert kinds(game.tick_when_due()) == ["ArrangingBegan"]


def test_a_lobby_whose_forming_would_outlast_its_time_to_live_is_cancelled_then() -> None:
    game = forming("ann")
    game.tick(after_ms=500_000)
    game.seat("bob")
    assert game.lobby.deadline == OPENED_AT_MS + 620_000
    assert kinds(game.tick_when_due()) == ["GameFinished"]
    assert game.now_ms == OPENED_AT_MS + 600_000


def test_after_an_outage_beyond_the_time_to_live_enough_paid_still_start() -> None:
    game = forming("ann", "bob")
    assert kinds(game.tick(after_ms=3_600_000)) == ["ArrangingBegan"]


def test_what_is_due_next_while_it_forms_is_the_first_seat_to_lapse_or_the_deadline() -> None:
    game = Game()
    game.sit("ann")
    game.lobby = replace(game.lobby, deadline=OPENED_AT_MS + 200_000)
    assert due_at(game.lobby) == OPENED_AT_MS + 120_000
    game.pay("ann")
    assert due_at(game.lobby) == OPENED_AT_MS + 200_000
