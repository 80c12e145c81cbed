"""Where the coins are after each way in which a game can go."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.rules.commands import Leave, TakeSeat
from server.rules.evolve import fold
from server.rules.money import invoice_updates, movements
from tests.rules.endings import play_until_won, run_out
from tests.rules.games import CLASSIC, Game, active, arranging, forming
from tests.rules.ledger import balanced, totals


def statuses(game: Game) -> dict[str, str]:
    """How the invoice of each player stands."""
    return {i.alien_id: i.status for i in game.invoices.values()}


def test_the_pot_of_a_game_that_was_won_is_owed_to_the_winner() -> None:
    game = active("ann", "bob")
    play_until_won(game, "bob")
    owed = [entry for entry in game.ledger if entry.kind == "payout_owed"]
    assert [(entry.alien_id, entry.amount) for entry in owed] == [("bob", 7_000)]
    assert totals(game.ledger) == {"received": 7_000, "pot": 0, "payout_owed": 7_000}
    assert statuses(game) == {"ann": "paid", "bob": "paid"}


def test_the_pot_of_a_game_that_nobody_won_is_kept() -> None:
    game = active("ann", "bob")
    run_out(game)
    assert totals(game.ledger) == {"received": 7_000, "pot": 0, "house": 7_000}
    assert [entry.alien_id for entry in game.ledger if entry.kind == "house"] == [None]


def test_every_payment_of_a_cancelled_lobby_is_owed_back_to_who_made_it() -> None:
    game = forming("ann")
    run_out(game)
    owed = [entry for entry in game.ledger if entry.kind == "refund_owed"]
    assert [(entry.alien_id, entry.amount) for entry in owed] == [("ann", 3_500)]
    assert totals(game.ledger)["pot"] == 0
    assert statuses(game) == {"ann": "refund_owed"}


def test_a_cancelled_lobby_ends_the_invoice_of_a_seat_that_was_not_paid() -> None:
    game = forming("ann")
    game.now_ms = game.lobby.closes_at - 1
    game.sit("bob")
    game.tick(after_ms=1)
    assert statuses(game) == {"ann": "refund_owed", "bob": "expired"}


def test_who_leaves_while_it_forms_is_owed_the_payment() -> None:
    game = forming("ann", "bob")
    game.do(Leave("ann"))
    assert totals(game.ledger) == {"received": 7_000, "pot": 3_500, "refund_owed": 3_500}
    assert game.lobby.pot == 3_500
    assert statuses(game) == {"ann": "refund_owed", "bob": "paid"}


def test_who_leaves_without_having_paid_is_owed_nothing() -> None:
    game = forming("bob")
    game.sit("ann")
    game.do(Leave("ann"))
    assert totals(game.ledger)["refund_owed"] == 0
    assert statuses(game)["ann"] == "cancelled"


def test_seats_that_are_unpaid_when_arranging_begins_end_their_invoices() -> None:
    game = forming("ann", "bob")
    game.now_ms = (game.lobby.deadline or 0) - 1
    game.sit("cy")
    game.tick(after_ms=1)
    assert game.lobby.status == "arranging"
    assert statuses(game)["cy"] == "expired"


@pytest.mark.parametrize("stage", [arranging, active])
def test_who_leaves_later_leaves_the_buy_in_in_the_pot(stage: Callable[..., Game]) -> None:
    game = stage("ann", "bob")
    game.do(Leave("ann"))
    assert totals(game.ledger)["pot"] == 7_000
    assert statuses(game)["ann"] == "paid"


def test_test_money_in_the_pot_marks_what_the_whole_pot_becomes() -> None:
    game = forming("ann")
    game.do(TakeSeat("bob", "", "invoice", takes_test=True))
    game.deliver("invoice", replace(game.payment("invoice"), test=True))
    run_out(game)
    house = [entry for entry in game.ledger if entry.kind == "house"]
    assert [entry.test for entry in house] == [True]


@given(st.lists(st.sampled_from("abcdef"), max_size=12), st.integers(0, 6))
def test_each_event_alone_keeps_the_balance(players: list[str], ticks: int) -> None:
    game = Game(CLASSIC)
    for player in players:
        if player in game.lobby.players:
            game.do(Leave(player))
        else:
            game.seat(player)
    for _ in range(ticks):
        if game.lobby.status != "finished":
            game.tick_when_due()
    for i, event in enumerate(game.events[1:], start=1):
        before = fold(game.events[:i])
        assert before is not None
        assert balanced(movements(before, event))


def test_only_leaving_while_it_forms_the_payment_and_the_cancellation_touch_invoices() -> None:
    game = active("ann", "bob")
    before = fold(game.events[:-1])
    assert before is not None
    play_until_won(game, "ann")
    assert invoice_updates(before, game.events[-1]) == ()
