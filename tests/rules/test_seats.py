"""Who gets a seat, for how long, and what becomes of it."""

from dataclasses import replace

from protocol.errors import ErrorCode, Refused
from server.rules.commands import Leave, TakeSeat
from tests.rules.games import (
    CLASSIC,
    OPENED_AT_MS,
    Game,
    active,
    arranging,
    forming,
    kinds,
)


def test_a_seat_is_held_for_the_seat_time_by_an_invoice_that_ends_with_it() -> None:
    game = Game()
    game.now_ms += 7
    game.sit("ann")
    seat = game.lobby.players["ann"]
    assert (seat.joined_at, seat.expires_at) == (OPENED_AT_MS + 7, OPENED_AT_MS + 120_007)
    assert game.invoices[seat.invoice_id].expires_at == seat.expires_at


def test_who_asks_again_keeps_the_seat_and_its_invoice() -> None:
    game = forming("ann")
    game.sit("bob")
    assert game.do(TakeSeat("ann", "another seed", "invoice-2")) == []
    assert game.do(TakeSeat("bob", "another seed", "invoice-3")) == []


def test_who_asks_again_after_the_invoice_lapsed_gets_a_new_one() -> None:
    game = Game()
    game.sit("ann")
    old = game.lobby.players["ann"].invoice_id
    game.now_ms = game.lobby.players["ann"].expires_at
    assert kinds(game.do(TakeSeat("ann", "", "new"))) == ["PlayerLeft", "SeatTaken"]
    assert game.lobby.players["ann"].expires_at == game.now_ms + CLASSIC.seat_ms
    assert (game.invoices[old].status, game.invoices["new"].status) == ("expired", "pending")


def test_who_asks_again_after_a_failed_payment_gets_a_new_invoice() -> None:
    game = Game()
    game.sit("ann")
    old = game.lobby.players["ann"].invoice_id
    game.deliver(old, game.failure(old))
    assert kinds(game.do(TakeSeat("ann", "", "new"))) == ["SeatTaken"]
    assert game.lobby.players["ann"].invoice_id == "new"


def test_unpaid_seats_count_against_the_most_players() -> None:
    game = Game(replace(CLASSIC, max_players=3))
    game.seat("ann")
    game.sit("bob", "cy")
    assert game.attempt(TakeSeat("dee", "", "new")) == Refused(ErrorCode.LOBBY_FULL)


def test_a_lapsed_seat_is_free_at_once() -> None:
    game = Game(replace(CLASSIC, max_players=3))
    game.seat("ann")
    game.sit("bob", "cy")
    game.now_ms = game.lobby.players["cy"].expires_at
    game.sit("dee")
    assert [*game.lobby.players] == ["ann", "dee"]


def test_a_seat_is_free_when_its_payment_failed() -> None:
    game = Game(replace(CLASSIC, max_players=2))
    game.sit("ann", "bob")
    invoice = game.lobby.players["bob"].invoice_id
    receipt = game.deliver(invoice, game.failure(invoice))
    assert receipt.events[0] == game.events[-1]
    game.sit("cy")
    assert [*game.lobby.players] == ["ann", "cy"]


def test_an_invoice_of_a_seat_that_was_not_paid_in_time_is_expired() -> None:
    game = Game()
    game.sit("ann")
    game.tick(after_ms=CLASSIC.seat_ms)
    assert game.lobby.players == {}
    assert game.invoices[game.lobby.invoices["ann"]].status == "expired"


def test_a_seat_is_held_to_the_last_millisecond() -> None:
    game = Game()
    game.sit("ann")
    assert game.tick(after_ms=CLASSIC.seat_ms - 0.001) == []
    assert [*game.lobby.players] == ["ann"]


def test_a_lobby_that_no_longer_forms_takes_nobody() -> None:
    closed = Refused(ErrorCode.LOBBY_CLOSED)
    for game in (arranging("ann", "bob"), active("ann", "bob")):
        assert game.attempt(TakeSeat("cy", "", "new")) == closed
        assert game.attempt(TakeSeat("ann", "", "new")) == closed


def test_who_leaves_while_it_forms_frees_the_seat_and_may_come_back() -> None:
    game = forming("ann", "bob")
    game.do(Leave("ann"))
    assert [*game.lobby.players] == ["bob"]
    game.seat("ann")
    assert [*game.lobby.players] == ["bob", "ann"]


def test_who_leaves_later_stays_in_the_list_and_no_longer_plays() -> None:
    for game in (arranging("ann", "bob"), active("ann", "bob")):
        game.do(Leave("ann"))
        assert [(p.alien_id, p.active) for p in game.lobby.players.values()] == [
            ("ann", False),
            ("bob", True),
        ]
        assert game.lobby.pot == 7_000
