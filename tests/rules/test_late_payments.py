"""Payments that find the seat, the player or the lobby no longer as it was."""

from dataclasses import replace

import pytest

from server.rules.commands import Leave
from server.rules.payments import receive
from tests.rules.games import (
    CLASSIC,
    TERMS,
    Game,
    kinds,
)
from tests.rules.ledger import totals
from tests.rules.seated import is_owed_back, owed_for, seated


def test_a_payment_after_the_seat_lapsed_seats_the_player_again_while_there_is_room() -> None:
    game, invoice = seated()
    game.tick(after_ms=CLASSIC.seat_ms)
    assert owed_for(game, invoice) == ("expired", 0)
    receipt = game.deliver(invoice)
    assert (receipt.processed, receipt.reason) == (True, None)
    assert kinds(receipt.events) == ["SeatTaken", "SeatPaid"]
    assert game.lobby.players["ann"].paid
    assert owed_for(game, invoice) == ("paid", 0)


def test_a_player_who_is_seated_again_keeps_the_client_seed() -> None:
    game = Game()
    game.sit("ann", client_seed="mine")
    game.tick(after_ms=CLASSIC.seat_ms)
    game.deliver(game.lobby.invoices["ann"])
    assert game.lobby.players["ann"].client_seed == "mine"


def test_a_payment_after_the_seat_lapsed_but_was_not_yet_taken_away_pays_it() -> None:
    game, invoice = seated()
    game.now_ms += CLASSIC.seat_ms
    assert kinds(game.deliver(invoice).events) == ["SeatPaid"]


def test_a_payment_after_a_failure_seats_the_player_again() -> None:
    game, invoice = seated()
    game.deliver(invoice, game.failure(invoice))
    assert kinds(game.deliver(invoice).events) == ["SeatTaken", "SeatPaid"]
    assert game.lobby.players["ann"].paid
    assert owed_for(game, invoice) == ("paid", 0)


def test_a_late_payment_into_a_full_lobby_is_owed_back() -> None:
    game, invoice = seated(replace(CLASSIC, max_players=2))
    game.tick(after_ms=CLASSIC.seat_ms)
    game.seat("bob")
    game.sit("cy")
    assert is_owed_back(game.deliver(invoice))
    assert [*game.lobby.players] == ["bob", "cy"]
    assert owed_for(game, invoice) == ("refund_owed", 3_500)


def test_lapsed_seats_make_room_for_a_late_payment() -> None:
    game, invoice = seated(replace(CLASSIC, max_players=2))
    game.tick(after_ms=CLASSIC.seat_ms)
    game.seat("bob")
    game.sit("cy")
    game.now_ms = game.lobby.players["cy"].expires_at
    assert game.deliver(invoice).reason is None
    assert [*game.lobby.players] == ["bob", "ann"]


def test_a_late_payment_of_an_old_invoice_pays_the_seat_and_voids_the_new_invoice() -> None:
    game, old = seated()
    game.now_ms += CLASSIC.seat_ms
    game.sit("ann")
    new = game.lobby.invoices["ann"]
    game.deliver(old)
    assert game.lobby.players["ann"].paid
    assert game.lobby.invoices["ann"] == old
    assert (owed_for(game, old), owed_for(game, new)) == (("paid", 0), ("cancelled", 0))
    assert is_owed_back(game.deliver(new))


def test_a_late_payment_of_an_old_invoice_is_owed_back_when_the_new_one_was_paid() -> None:
    game, old = seated()
    game.now_ms += CLASSIC.seat_ms
    game.seat("ann")
    new = game.lobby.invoices["ann"]
    assert is_owed_back(game.deliver(old))
    assert game.lobby.pot == 3_500
    assert (owed_for(game, old), owed_for(game, new)) == (("refund_owed", 3_500), ("paid", 0))


def test_a_voided_invoice_seats_nobody_who_has_left() -> None:
    game, old = seated()
    game.now_ms += CLASSIC.seat_ms
    game.sit("ann")
    new = game.lobby.invoices["ann"]
    game.deliver(old)
    game.do(Leave("ann"))
    assert is_owed_back(game.deliver(new))
    assert totals(game.ledger)["refund_owed"] == 7_000


def test_a_second_payment_of_one_invoice_is_owed_back_and_the_seat_stays_paid() -> None:
    game, invoice = seated()
    game.deliver(invoice)
    assert is_owed_back(game.deliver(invoice))
    assert game.lobby.players["ann"].paid
    assert game.lobby.pot == 3_500
    assert owed_for(game, invoice) == ("paid", 3_500)


@pytest.mark.parametrize("paid_before", [False, True])
def test_a_payment_of_a_player_who_has_left_is_owed_back(paid_before: bool) -> None:
    game, invoice = seated()
    if paid_before:
        game.deliver(invoice)
    game.do(Leave("ann"))
    assert is_owed_back(game.deliver(invoice))
    assert game.lobby.players == {}
    assert owed_for(game, invoice) == ("refund_owed", 7_000 if paid_before else 3_500)


def test_a_payment_of_the_seat_that_was_left_does_not_pay_the_seat_taken_since() -> None:
    game, left = seated()
    game.do(Leave("ann"))
    game.sit("ann")
    assert is_owed_back(game.deliver(left))
    assert not game.lobby.players["ann"].paid


@pytest.mark.parametrize(
    ("others", "status"),
    [
        (("bob", "cy"), "arranging"),
        (("bob", "cy"), "active"),
        (("bob", "cy"), "finished"),
        (("bob",), "finished"),
    ],
    ids=["arranging", "active", "finished", "cancelled"],
)
def test_a_payment_into_a_lobby_that_no_longer_forms_is_owed_back(
    others: tuple[str, ...], status: str
) -> None:
    game, invoice = seated()
    game.seat(*others)
    while game.lobby.status != status:
        game.tick_when_due()
    assert is_owed_back(game.deliver(invoice))
    assert [*game.lobby.players] == [*others]
    assert owed_for(game, invoice) == ("refund_owed", 3_500)


def test_a_payment_into_a_lobby_that_is_gone_is_owed_back() -> None:
    game, invoice = seated()
    known = game.invoices[invoice]
    receipt = receive(None, known, game.payment(invoice), TERMS, game.now_ms)
    assert is_owed_back(receipt)
    assert receipt.status == "refund_owed"


def test_a_failure_in_a_lobby_that_is_gone_fails_the_invoice() -> None:
    game, invoice = seated()
    receipt = receive(None, game.invoices[invoice], game.failure(invoice), TERMS, game.now_ms)
    assert (receipt.processed, receipt.status, receipt.events) == (True, "failed", ())
