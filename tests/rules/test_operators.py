"""What an operator does to a lobby: voiding it, taking a seat from a player."""

from collections.abc import Callable

import pytest

from protocol.errors import ErrorCode, Refused
from protocol.to_client import PlayerLeft
from server.rules.commands import Claim, Kick, Leave, Void
from server.rules.lobby import due_at
from tests.rules.endings import cancelled, run_out, voided, won
from tests.rules.games import Game, active, arranging, forming
from tests.rules.ledger import balanced, totals


def with_an_unpaid_seat() -> Game:
    """A lobby that forms: Ann and Bob have paid, Cy has not."""
    game = forming("ann", "bob")
    game.sit("cy")
    return game


def after_some_left_and_were_removed() -> Game:
    """A game of Ann and Bob; Cy has left, Dee was removed."""
    game = active("ann", "bob", "cy", "dee")
    game.do(Leave("cy"))
    game.do(Claim("dee"))
    return game


@pytest.mark.parametrize(
    "begin",
    [
        with_an_unpaid_seat,
        lambda: arranging("ann", "bob"),
        lambda: active("ann", "bob"),
        after_some_left_and_were_removed,
    ],
    ids=["forming", "arranging", "active", "after some left"],
)
def test_a_voided_lobby_owes_every_payment_back_to_who_made_it(begin: Callable[[], Game]) -> None:
    game = begin()
    paid = {player.alien_id for player in game.lobby.paid_players()}
    game.do(Void())
    assert (game.lobby.status, game.lobby.outcome) == ("finished", "voided")
    assert (game.lobby.pot, game.lobby.winner, due_at(game.lobby)) == (0, None, None)
    owed = {(e.alien_id, e.amount) for e in game.ledger if e.kind == "refund_owed"}
    assert owed == {(alien_id, 3_500) for alien_id in paid}
    assert balanced(game.ledger)
    came_in = 3_500 * len(paid)
    assert totals(game.ledger) == {"received": came_in, "pot": 0, "refund_owed": came_in}
    for invoice in game.invoices.values():
        assert invoice.status == ("refund_owed" if invoice.alien_id in paid else "expired")


@pytest.mark.parametrize("end", [won, cancelled, voided, lambda: run_out(active("ann", "bob"))])
def test_what_is_over_is_not_voided(end: Callable[[], Game]) -> None:
    game = end()
    before = (game.lobby, list(game.ledger))
    assert game.attempt(Void()) == Refused(ErrorCode.WRONG_STATUS, {"status": "finished"})
    assert (game.lobby, game.ledger) == before


def test_a_payment_into_a_voided_lobby_is_owed_back() -> None:
    game = with_an_unpaid_seat()
    invoice = game.lobby.invoices["cy"]
    game.do(Void())
    assert game.deliver(invoice).reason == "refund_owed"
    assert totals(game.ledger) == {"received": 10_500, "pot": 0, "refund_owed": 10_500}


def test_a_claim_in_a_voided_game_wins_nothing_and_removes_nobody() -> None:
    game = active("ann", "bob")
    game.do(Void())
    assert game.attempt(Claim("ann")) == Refused(ErrorCode.WRONG_STATUS, {"status": "finished"})
    assert game.lobby.players["ann"].active


def test_who_is_kicked_has_no_seat_and_is_owed_what_was_paid() -> None:
    game = with_an_unpaid_seat()
    game.do(Kick("ann"))
    assert game.room_events[-1] == PlayerLeft(
        alien_id="ann", player_count=2, pot=3_500, reason="kicked"
    )
    game.do(Kick("cy"))
    assert list(game.lobby.players) == ["bob"]
    assert totals(game.ledger) == {"received": 7_000, "pot": 3_500, "refund_owed": 3_500}
    statuses = {i.alien_id: i.status for i in game.invoices.values()}
    assert statuses == {"ann": "refund_owed", "bob": "paid", "cy": "cancelled"}


@pytest.mark.parametrize("begin", [lambda: arranging("ann", "bob"), lambda: active("ann", "bob")])
def test_nobody_is_kicked_once_it_no_longer_forms(begin: Callable[[], Game]) -> None:
    game = begin()
    status = game.lobby.status
    assert game.attempt(Kick("ann")) == Refused(ErrorCode.WRONG_STATUS, {"status": status})
    assert game.attempt(Kick("zoe")) == Refused(ErrorCode.WRONG_STATUS, {"status": status})


def test_nobody_is_kicked_who_holds_no_seat() -> None:
    assert forming("ann").attempt(Kick("bob")) == Refused(ErrorCode.NOT_SEATED)
