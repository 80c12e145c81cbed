"""A game that waits for its beacon."""

from dataclasses import replace

import pytest

from protocol.to_client import BeaconMixed, NumberCalled, StatusChanged
from protocol.views import BeaconView
from server.dev.beacon import DevBeacon
from server.rules.beacon import mixed, randomness
from server.rules.commands import ArrangeGrid, Claim, Leave, MixBeacon
from server.rules.draw import call_order
from server.rules.lobby import due_at
from server.rules.proofs import proof
from server.rules.verify import verify_proof
from server.rules.views import public_view
from tests.rules.games import (
    AWAITED,
    BEACON,
    BEACON_KEYS,
    CLASSIC,
    Game,
    active,
    arranging,
    kinds,
    ticket,
    waiting,
)
from tests.rules.ledger import balanced, totals


def voided_at(game: Game) -> int:
    """When it is too late for the beacon."""
    assert game.lobby.started_at is not None
    return game.lobby.started_at + AWAITED.patience_ms


def test_the_start_names_a_round_whose_value_nobody_can_know() -> None:
    game = arranging("ann", "bob", beacon=AWAITED)
    game.do(ArrangeGrid("ann", ticket(1)))
    assert public_view(game.lobby, 0).beacon == BeaconView(
        chain_hash=BEACON.chain.chain_hash, round=None
    )
    game.do(ArrangeGrid("bob", ticket(20)))
    round = BEACON.chain.round_after(int(game.now_ms))
    named = BeaconView(chain_hash=BEACON.chain.chain_hash, round=round)
    assert game.room_events[-1] == StatusChanged(status="active", deadline=None, beacon=named)
    assert public_view(game.lobby, 0).beacon == named
    assert BEACON.chain.time_ms(round) > game.now_ms + 1000
    assert due_at(game.lobby) == BEACON.chain.time_ms(round)


def test_grids_that_stood_long_before_the_start_do_not_make_the_round_a_known_one() -> None:
    game = forming_with_grids()
    game.tick_when_due()
    assert game.lobby.awaited is not None
    round, started_at = game.lobby.awaited.round, game.lobby.started_at
    assert round is not None
    assert started_at is not None
    assert BEACON.chain.time_ms(round) > started_at + 1000


def forming_with_grids() -> Game:
    """A lobby that forms although all who have paid have arranged."""
    game = Game(beacon=AWAITED)
    game.seat("ann", "bob")
    game.do(ArrangeGrid("ann", ticket(1)))
    game.do(ArrangeGrid("bob", ticket(20)))
    return game


def test_no_number_is_called_and_no_order_is_known_before_the_beacon_is_there() -> None:
    game = waiting()
    while game.now_ms < voided_at(game) - 500:
        assert game.tick(after_ms=500) == []
    assert (game.lobby.called, game.lobby.order) == ((), ())


def test_the_order_follows_from_the_seed_the_players_and_the_beacon() -> None:
    game = waiting()
    command = game.beacon_comes()
    game.tick_when_due()
    assert game.lobby.entropy is not None
    drawn_by = mixed(game.lobby.entropy, randomness(command.signature))
    seed = bytes.fromhex(game.lobby.server_seed)
    assert game.lobby.order == call_order(seed, game.lobby.lobby_id, drawn_by, 50)
    assert game.lobby.order != call_order(seed, game.lobby.lobby_id, game.lobby.entropy, 50)


def test_the_first_call_is_due_an_interval_after_the_start_or_when_the_beacon_is_there() -> None:
    early, late = waiting(), waiting()
    started_at = early.lobby.started_at
    assert started_at is not None
    early.now_ms += 1
    assert kinds(early.do(early.beacon_comes())) == ["BeaconMixed"]
    assert due_at(early.lobby) == started_at + CLASSIC.call_interval_ms
    late.now_ms += 10 * CLASSIC.call_interval_ms + 5
    assert kinds(late.do(late.beacon_comes())) == ["BeaconMixed", "NumberCalled"]
    assert due_at(late.lobby) == late.now_ms + CLASSIC.call_interval_ms
    assert isinstance(late.room_events[-2], BeaconMixed)
    assert isinstance(late.room_events[-1], NumberCalled)


def test_a_beacon_that_comes_again_changes_nothing() -> None:
    game = waiting()
    command = game.beacon_comes()
    game.do(command)
    assert game.do(command) == []


def test_too_late_is_voided_and_everybody_is_paid_back() -> None:
    game = waiting("ann", "bob", "cy")
    game.do(Leave("ann"))
    assert kinds(game.do(Claim("bob"))) == ["PlayerKicked"]
    assert game.tick(after_ms=voided_at(game) - 1 - game.now_ms) == []
    assert kinds(game.tick(after_ms=1)) == ["GameFinished"]
    assert (game.lobby.outcome, game.lobby.pot, proof(game.lobby)) == ("voided", 0, None)
    assert balanced(game.ledger)
    assert totals(game.ledger)["refund_owed"] == 3 * game.lobby.buy_in_amount


def test_a_beacon_that_comes_too_late_is_not_taken() -> None:
    game = waiting()
    game.now_ms = voided_at(game)
    assert kinds(game.do(game.beacon_comes())) == ["GameFinished"]
    assert game.lobby.outcome == "voided"


@pytest.mark.parametrize("round_before", [0, 1, -1])
def test_nothing_is_put_in_the_place_of_the_round_that_was_named(round_before: int) -> None:
    game = waiting()
    right = game.beacon_comes()
    other = right.round - round_before
    for signature in (DevBeacon().signature(other), BEACON.signature(other + 1), "", "00" * 48):
        assert game.do(MixBeacon(other, signature)) == []
    if round_before:
        assert game.do(MixBeacon(other, BEACON.signature(other))) == []
    assert kinds(game.do(right)) == ["BeaconMixed"]


def test_a_clock_that_is_set_back_neither_voids_a_game_nor_keeps_it_for_ever() -> None:
    game = waiting()
    game.now_ms -= 30_000
    assert game.tick() == []
    game.now_ms -= 3_600_000
    assert kinds(game.tick()) == ["GameFinished"]


def test_a_game_that_all_leave_before_the_round_is_over_without_a_number() -> None:
    game = waiting()
    game.do(Leave("ann"))
    assert kinds(game.do(Leave("bob"))) == ["PlayerLeft", "GameFinished"]
    shown = proof(game.lobby)
    assert shown is not None
    document = shown.model_dump(mode="json")
    assert document["beacon"]["randomness"] is None
    assert verify_proof(document, BEACON_KEYS) == []


def test_a_wait_for_the_beacon_that_ends_before_its_round_is_due_in_time() -> None:
    game = active("ann", "bob", beacon=replace(AWAITED, patience_ms=100))
    assert game.lobby.started_at is not None
    assert due_at(game.lobby) == game.lobby.started_at + 100
