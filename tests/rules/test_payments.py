"""What each delivery of the payment provider does: one test a row, the first that fits decides."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from protocol.payments import NotProcessed
from server.rules.commands import Leave, TakeSeat
from server.rules.payments import Delivery, Receipt
from server.rules.variants import Variant
from tests.rules.deliveries import troubled
from tests.rules.games import (
    CLASSIC,
    GRAND,
    TERMS,
    Game,
    forming,
    kinds,
)
from tests.rules.ledger import balanced, totals
from tests.rules.seated import owed_for, seated
from tests.rules.strategies import Trouble


def test_a_payment_as_asked_pays_the_held_seat_and_the_pot_grows_by_the_buy_in() -> None:
    game, invoice = seated()
    receipt = game.deliver(invoice)
    assert (receipt.processed, receipt.reason) == (True, None)
    assert game.lobby.players["ann"].paid
    assert game.lobby.pot == 3_500
    assert totals(game.ledger) == {"received": 3_500, "pot": 3_500}
    assert (owed_for(game, invoice), game.invoices[invoice].tx_hash) == (("paid", 0), "tx-1")


def test_a_payment_that_names_recipient_network_and_decimals_rightly_counts() -> None:
    game, invoice = seated()
    named: dict[str, Any] = {"recipient": TERMS.recipient, "network": TERMS.network, "decimals": 0}
    assert game.deliver(invoice, replace(game.payment(invoice), **named)).processed
    assert game.lobby.players["ann"].paid


@pytest.mark.parametrize("status", ["finalized", "failed"])
def test_the_same_delivery_again_changes_nothing(status: str) -> None:
    game, invoice = seated()
    delivery = game.payment(invoice) if status == "finalized" else game.failure(invoice)
    game.deliver(invoice, delivery)
    lobby, ledger = game.lobby, [*game.ledger]
    again = game.deliver(invoice, delivery)
    assert again == Receipt(processed=False, reason="already_processed", recorded=False)
    assert (game.lobby, game.ledger) == (lobby, ledger)


def test_the_same_delivery_is_recognised_before_its_mistakes() -> None:
    game, invoice = seated()
    wrong = replace(game.payment(invoice), recipient="somebody else")
    assert game.deliver(invoice, wrong).reason == "recipient_mismatch"
    assert game.deliver(invoice, wrong).reason == "already_processed"


def test_a_failed_payment_frees_the_seat_and_fails_the_invoice() -> None:
    game, invoice = seated()
    receipt = game.deliver(invoice, game.failure(invoice))
    assert (receipt.processed, receipt.reason) == (True, None)
    assert kinds(receipt.events) == ["PlayerLeft"]
    assert game.lobby.players == {}
    assert owed_for(game, invoice) == ("failed", 0)
    assert game.ledger == []


def test_a_failure_is_recorded_whatever_else_is_in_it() -> None:
    game, invoice = seated()
    delivery = replace(game.failure(invoice), recipient="somebody else", units=1)
    assert game.deliver(invoice, delivery).processed
    assert game.lobby.players == {}


def test_a_failure_after_the_payment_changes_nothing() -> None:
    game, invoice = seated()
    game.deliver(invoice)
    receipt = game.deliver(invoice, game.failure(invoice))
    assert (receipt.processed, receipt.reason) == (False, None)
    assert game.lobby.players["ann"].paid
    assert owed_for(game, invoice) == ("paid", 0)


def test_a_failure_after_the_payment_was_owed_back_changes_nothing() -> None:
    game, invoice = seated()
    game.deliver(invoice)
    game.do(Leave("ann"))
    assert not game.deliver(invoice, game.failure(invoice)).processed
    assert owed_for(game, invoice) == ("refund_owed", 3_500)


def test_the_failure_of_an_earlier_invoice_leaves_the_new_seat_alone() -> None:
    game, old = seated()
    game.now_ms += CLASSIC.seat_ms
    game.sit("ann")
    assert game.deliver(old, game.failure(old)).events == ()
    assert "ann" in game.lobby.players
    assert owed_for(game, old) == ("failed", 0)


def test_a_failure_of_an_unpaid_seat_that_was_given_up_frees_nothing() -> None:
    game, invoice = seated()
    game.do(Leave("ann"))
    assert game.deliver(invoice, game.failure(invoice)).events == ()
    assert owed_for(game, invoice) == ("cancelled", 0)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"recipient": "x", "network": "x", "decimals": 9, "units": None}, "recipient_mismatch"),
        ({"network": "x", "decimals": 9, "units": None}, "network_mismatch"),
        ({"decimals": 9, "units": None}, "decimals_mismatch"),
        ({"units": None}, "amount_missing"),
        ({"recipient": "x", "units": 1}, "recipient_mismatch"),
        ({"network": "x", "units": 1}, "network_mismatch"),
        ({"decimals": 9, "units": 1}, "decimals_mismatch"),
        ({"recipient": ""}, "recipient_mismatch"),
        ({"network": ""}, "network_mismatch"),
        ({"network": "Alien"}, "network_mismatch"),
    ],
)
def test_what_did_not_come_in_to_us_is_kept_as_unmatched_and_counts_nowhere(
    wrong: dict[str, Any], reason: NotProcessed
) -> None:
    game, invoice = seated()
    receipt = game.deliver(invoice, replace(game.payment(invoice), **wrong))
    assert receipt == Receipt(processed=False, reason=reason, unmatched=True)
    assert not game.lobby.players["ann"].paid
    assert game.ledger == []
    assert owed_for(game, invoice) == ("pending", 0)


@pytest.mark.parametrize("units", [0, 1, 3_499, 3_501, 10**30])
def test_a_wrong_amount_is_owed_back_and_the_seat_stays_unpaid(units: int) -> None:
    game, invoice = seated()
    receipt = game.deliver(invoice, replace(game.payment(invoice), units=units))
    assert (receipt.processed, receipt.reason) == (False, "amount_mismatch")
    assert not receipt.unmatched
    assert totals(game.ledger) == ({"received": units, "refund_owed": units} if units else {})
    assert not game.lobby.players["ann"].paid
    assert owed_for(game, invoice) == ("pending", units)


def test_a_right_payment_after_a_wrong_one_pays_the_seat() -> None:
    game, invoice = seated()
    game.deliver(invoice, replace(game.payment(invoice), units=5))
    game.deliver(invoice)
    assert game.lobby.players["ann"].paid
    assert owed_for(game, invoice) == ("paid", 5)
    assert totals(game.ledger) == {"received": 3_505, "pot": 3_500, "refund_owed": 5}


def test_the_payment_of_the_last_seat_begins_arranging_in_the_same_step() -> None:
    game, invoice = seated(replace(CLASSIC, max_players=3))
    game.seat("bob", "cy")
    receipt = game.deliver(invoice)
    assert kinds(receipt.events) == ["SeatPaid", "ArrangingBegan"]


@pytest.mark.parametrize("variant", [CLASSIC, GRAND], ids=lambda v: v.name)
def test_the_payments_of_all_seats_begin_arranging_and_those_of_fewer_do_not(
    variant: Variant,
) -> None:
    players = [f"player-{i}" for i in range(variant.max_players)]
    game = forming(*players[:-1], variant=variant)
    assert "ArrangingBegan" not in kinds(game.events)
    game.seat(players[-1])
    assert kinds(game.events)[-2:] == ["SeatPaid", "ArrangingBegan"]


@pytest.mark.parametrize(
    "units", [350_000, 349_999, 350_001, 99, 100, 0], ids=lambda units: f"{units}-units"
)
def test_with_decimals_the_ledger_and_the_invoice_count_every_unit(units: int) -> None:
    game, invoice = seated(coin_decimals=2)
    game.deliver(invoice, replace(game.payment(invoice), units=units, decimals=2))
    paid = units == 350_000
    assert balanced(game.ledger)
    assert totals(game.ledger)["received"] == Fraction(units, 100)
    assert all(entry.amount for entry in game.ledger), "nothing of 0 is booked"
    assert game.lobby.players["ann"].paid == paid
    assert game.invoices[invoice].owed_units == (0 if paid else units)


def test_with_decimals_the_buy_in_that_is_owed_back_is_owed_in_units() -> None:
    game, invoice = seated(coin_decimals=2)
    game.deliver(invoice)
    game.do(Leave("ann"))
    assert game.invoices[invoice].owed_units == 350_000
    assert totals(game.ledger)["refund_owed"] == 3_500


@pytest.mark.parametrize("trouble", ["none", "too much"])
def test_money_that_is_not_real_is_marked_in_every_entry(trouble: Trouble) -> None:
    game = Game()
    game.do(TakeSeat("ann", "", "invoice", takes_test=True))
    delivery: Delivery = replace(troubled(game, "invoice", trouble, None), test=True)
    game.deliver("invoice", delivery)
    if trouble == "none":
        game.do(Leave("ann"))
    assert game.ledger
    assert all(entry.test for entry in game.ledger)


def test_a_payment_is_named_in_the_entry_of_what_came_in() -> None:
    game, invoice = seated()
    game.deliver(invoice)
    game.deliver(invoice)
    came_in = [entry for entry in game.ledger if entry.kind == "received"]
    assert [(entry.tx, entry.invoice_id, entry.alien_id) for entry in came_in] == [
        ("tx-1", invoice, "ann"),
        ("tx-2", invoice, "ann"),
    ]
