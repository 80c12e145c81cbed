"""What is seen of a lobby: by everyone, by a player, in the proof."""

from itertools import pairwise

import orjson
import pytest

from protocol.to_client import GameFinished, LobbyState
from protocol.views import Invoice, PlayerView, You
from server.rules.commands import ArrangeGrid, Leave, SelectNumbers
from server.rules.draw import seed_hash
from server.rules.proofs import proof
from server.rules.views import own_view, patterns_view, public_fields, public_view
from server.store.log import LogPosition
from server.transport.states import lobby_state
from tests.rules.endings import cancelled, voided, won
from tests.rules.games import (
    CLASSIC,
    GRAND,
    LOBBY_ID,
    OPENED_AT_MS,
    SEED,
    Game,
    active,
    arranging,
    forming,
    rows,
    ticket,
)

# --- the public view -------------------------------------------------------------------------


def test_the_public_view_of_a_lobby_that_forms() -> None:
    game = forming("bob")
    game.sit("ann")
    view = public_view(game.lobby, seq=3)
    assert view.model_dump() == {
        "lobby_id": LOBBY_ID,
        "rules": {
            "variant": "classic",
            "side": 3,
            "highest": 50,
            "min_players": CLASSIC.min_players,
            "max_players": CLASSIC.max_players,
        },
        "status": "forming",
        "buy_in_amount": 3_500,
        "pot": 3_500,
        "player_count": 2,
        "active_players": 2,
        "players": [
            {"alien_id": "bob", "paid": True, "ready": False, "active": True},
            {"alien_id": "ann", "paid": False, "ready": False, "active": True},
        ],
        "latest_number": None,
        "previous_number": None,
        "winner": None,
        "outcome": None,
        "created_at": OPENED_AT_MS,
        "started_at": None,
        "finished_at": None,
        "deadline": OPENED_AT_MS + CLASSIC.formation_ms,
        "server_seed_hash": seed_hash(bytes.fromhex(SEED)),
        "seq": 3,
    }


def test_the_fields_of_the_public_view_stand_in_the_order_of_the_contract() -> None:
    names = (
        "lobby_id rules status buy_in_amount pot player_count active_players players latest_number"
        " previous_number winner outcome created_at started_at finished_at deadline"
        " server_seed_hash seq"
    )
    assert " ".join(public_view(forming("bob").lobby, seq=3).model_dump()) == names


@pytest.mark.parametrize(
    "game", [forming("bob"), arranging("bob", "ann"), active("bob", "ann"), won(), voided()]
)
def test_what_is_told_of_a_lobby_is_what_the_models_say(game: Game) -> None:
    invoice = Invoice(
        invoice_id="i",
        amount="3500",
        recipient="p",
        token="t",
        network="n",
        status="paid",
        expires_at=1,
    )
    state = lobby_state(game.lobby, LogPosition(seq=3, at_ms=1.5), "bob", invoice)
    text = LobbyState.model_validate(state).model_dump_json()
    assert orjson.dumps(state).decode() == text
    assert "bob" in text
    fields = public_fields(game.lobby, 3)
    assert orjson.dumps(fields).decode() == public_view(game.lobby, 3).model_dump_json()


def test_the_patterns_that_win_are_listed_in_the_order_in_which_they_are_judged() -> None:
    lines = patterns_view(CLASSIC)
    assert [*lines] == [*CLASSIC.patterns]
    assert lines["row_1"] == [(1, 0), (1, 1), (1, 2)]
    assert lines["diag_rl"] == [(0, 2), (1, 1), (2, 0)]
    assert len(patterns_view(GRAND)) == 12


def test_the_public_view_has_the_times_of_each_phase() -> None:
    game = arranging("ann", "bob")
    arranged_by = game.now_ms + CLASSIC.arranging_ms
    assert public_view(game.lobby, seq=1).deadline == arranged_by
    game.tick_when_due()
    view = public_view(game.lobby, seq=1)
    assert (view.started_at, view.deadline, view.finished_at) == (arranged_by, None, None)
    game.do(Leave("ann"))
    game.do(Leave("bob"))
    assert public_view(game.lobby, seq=1).finished_at == game.now_ms


def test_the_public_view_shows_only_the_latest_and_the_previous_number() -> None:
    game = active("ann", "bob")
    shown = []
    for _ in range(4):
        game.tick_when_due()
        view = public_view(game.lobby, seq=1)
        shown.append((view.previous_number, view.latest_number))
    assert shown == [*pairwise((None, *game.lobby.called))]


def test_the_public_view_of_a_cancelled_lobby_has_no_deadline() -> None:
    view = public_view(cancelled().lobby, seq=1)
    assert (view.outcome, view.deadline, view.pot) == ("cancelled", None, 0)


def test_the_public_view_of_the_end_names_the_winner_and_who_no_longer_plays() -> None:
    view = public_view(won().lobby, seq=1)
    assert (view.status, view.outcome, view.winner, view.pot) == ("finished", "won", "ann", 14_000)
    assert view.active_players == 2
    assert view.players == [
        PlayerView(alien_id="dee", paid=True, ready=True, active=False),
        PlayerView(alien_id="cy", paid=True, ready=True, active=False),
        PlayerView(alien_id="bob", paid=True, ready=True, active=True),
        PlayerView(alien_id="ann", paid=True, ready=True, active=True),
    ]


# --- one's own view --------------------------------------------------------------------------


def test_a_player_sees_their_own_numbers_and_grid() -> None:
    game = forming("ann", "bob")
    game.do(SelectNumbers("ann", tuple(range(9, 0, -1))))
    chosen = You(role="player", paid=True, active=True, numbers=[*range(9, 0, -1)])
    assert own_view(game.lobby, "ann", None) == chosen
    game.do(ArrangeGrid("ann", ticket(1)))
    assert own_view(game.lobby, "ann", None) == chosen.model_copy(
        update={"grid": [[1, 2, 3], [4, 5, 6], [7, 8, 9]]}
    )


def test_a_grid_without_chosen_numbers_chooses_its_numbers() -> None:
    game = forming("ann")
    game.do(ArrangeGrid("ann", ticket(7)))
    assert own_view(game.lobby, "ann", None).numbers == [*range(7, 16)]


def test_an_unpaid_player_and_one_who_no_longer_plays_see_that() -> None:
    game = Game()
    game.sit("ann")
    assert own_view(game.lobby, "ann", None) == You(role="player", paid=False, active=True)
    after = won()
    for player, plays in (("ann", True), ("cy", False), ("dee", False)):
        assert own_view(after.lobby, player, None).active == plays


def test_who_holds_no_seat_is_a_spectator() -> None:
    game = forming("ann")
    game.do(Leave("ann"))
    assert own_view(game.lobby, "ann", None) == You(role="spectator")
    assert own_view(game.lobby, "zoe", None) == You(role="spectator")


# --- the proof -------------------------------------------------------------------------------


def test_the_proof_holds_all_who_paid_sorted_with_what_they_brought() -> None:
    game = Game()
    game.sit("cy", client_seed="lucky")
    game.pay("cy")
    game.seat("ann", "Bob")
    game.do(SelectNumbers("ann", tuple(range(20, 29))))
    game.do(ArrangeGrid("cy", ticket(1)))
    game.tick_when_due()
    game.tick_when_due()
    for player in ("ann", "Bob", "cy"):
        game.do(Leave(player))
    shown = proof(game.lobby)
    assert shown is not None
    assert shown.players == [
        ("Bob", "", rows(game, "Bob")),
        ("ann", "", rows(game, "ann")),
        ("cy", "lucky", [[1, 2, 3], [4, 5, 6], [7, 8, 9]]),
    ]
    assert shown.arranged == {"Bob": "picked", "ann": "arranged"}
    assert (shown.lobby_id, shown.variant) == (LOBBY_ID, "classic")
    assert (shown.server_seed, shown.server_seed_hash) == (SEED, seed_hash(bytes.fromhex(SEED)))
    assert shown.entropy == game.lobby.entropy


def test_the_proof_agrees_with_what_was_seen() -> None:
    game = won()
    shown, end = proof(game.lobby), game.room_events[-1]
    assert shown is not None
    assert isinstance(end, GameFinished)
    assert (shown.winner, shown.pattern) == (end.winner, end.pattern)
    assert shown.numbers_called == end.numbers_called
    assert {player: grid for player, _, grid in shown.players} == end.grids
    assert shown.server_seed_hash == public_view(game.lobby, seq=1).server_seed_hash


def test_there_is_no_proof_before_the_end_and_none_of_one_that_was_called_off() -> None:
    for game in (
        forming("ann"),
        arranging("ann", "bob"),
        active("ann", "bob"),
        cancelled(),
        voided(),
    ):
        assert proof(game.lobby) is None
