"""Who arranges, until when, and what starts the game."""

from dataclasses import replace

from server.rules.commands import ArrangeGrid, Leave, SelectNumbers
from server.rules.events import GridArranged
from tests.rules.games import (
    CLASSIC,
    GRAND,
    Game,
    active,
    arranging,
    forming,
    kinds,
    ticket,
)


def test_the_game_starts_when_the_last_player_has_arranged() -> None:
    game = arranging("ann", "bob")
    assert kinds(game.do(ArrangeGrid("ann", ticket(1)))) == ["GridArranged"]
    game.now_ms += 5_000
    assert kinds(game.do(ArrangeGrid("bob", ticket(10)))) == ["GridArranged", "GameStarted"]
    assert game.lobby.started_at == game.now_ms
    assert game.lobby.deadline is None


def test_arranging_again_while_others_have_not_starts_nothing() -> None:
    game = arranging("ann", "bob")
    game.do(ArrangeGrid("ann", ticket(1)))
    again = tuple(reversed(ticket(1)))
    assert kinds(game.do(ArrangeGrid("ann", again))) == ["GridArranged"]
    assert game.lobby.players["ann"].grid == again


def test_choosing_or_arranging_the_same_again_changes_nothing() -> None:
    game = arranging("ann", "bob")
    for command in (SelectNumbers("ann", tuple(range(1, 10))), ArrangeGrid("ann", ticket(1))):
        assert len(game.do(command)) == 1
        assert game.do(command) == []


def test_when_all_have_arranged_already_arranging_and_active_follow_at_once() -> None:
    game = forming("ann", "bob")
    game.do(ArrangeGrid("ann", ticket(1)))
    game.do(ArrangeGrid("bob", ticket(10)))
    assert kinds(game.tick_when_due()) == ["ArrangingBegan", "GameStarted"]


def test_the_last_payment_starts_a_game_whose_players_have_all_arranged() -> None:
    game = Game(replace(CLASSIC, max_players=2))
    game.seat("ann")
    game.do(ArrangeGrid("ann", ticket(1)))
    game.seat("bob")
    assert game.lobby.status == "arranging"
    assert kinds(game.do(ArrangeGrid("bob", ticket(10)))) == ["GridArranged", "GameStarted"]


def test_the_server_arranges_for_the_rest_when_the_time_is_up() -> None:
    game = arranging("ann", "bob", "cy")
    game.do(ArrangeGrid("ann", ticket(1)))
    game.do(SelectNumbers("bob", tuple(range(50, 41, -1))))
    assert game.tick(after_ms=89_999) == []
    happened = game.tick(after_ms=1)
    assert kinds(happened) == ["GridArranged", "GridArranged", "GameStarted"]
    by_server = {e.alien_id: e.by_server for e in happened if isinstance(e, GridArranged)}
    assert by_server == {"bob": "arranged", "cy": "picked"}
    assert {n for row in game.lobby.players["bob"].grid or () for n in row} == {*range(42, 51)}
    assert game.lobby.players["bob"].numbers == tuple(range(50, 41, -1))


def test_a_ticket_that_the_server_picked_is_a_ticket() -> None:
    game = active("ann", "bob", variant=GRAND)
    for player in game.lobby.players.values():
        cells = [n for row in player.grid or () for n in row]
        assert len({*cells}) == len(cells) == 25
        assert set(cells) <= {*range(1, 76)}
        assert player.numbers == tuple(cells)


def test_who_left_while_arranging_has_a_grid_in_the_proof_as_well() -> None:
    game = arranging("ann", "bob")
    game.do(Leave("ann"))
    game.do(ArrangeGrid("bob", ticket(1)))
    assert game.lobby.status == "active"
    by_server = {e.alien_id: e.by_server for e in game.events if isinstance(e, GridArranged)}
    assert by_server == {"ann": "picked", "bob": None}


def test_the_last_player_to_arrange_may_be_waited_for_no_longer_because_they_left() -> None:
    game = arranging("ann", "bob")
    game.do(ArrangeGrid("ann", ticket(1)))
    assert kinds(game.do(Leave("bob"))) == ["PlayerLeft", "GridArranged", "GameStarted"]


def test_when_everybody_left_while_arranging_the_game_starts_and_ends_in_one_step() -> None:
    game = arranging("ann", "bob")
    game.do(Leave("ann"))
    happened = game.do(Leave("bob"))
    assert kinds(happened) == [
        "PlayerLeft",
        "GridArranged",
        "GridArranged",
        "GameStarted",
        "GameFinished",
    ]
    assert game.lobby.outcome == "no_winner"
