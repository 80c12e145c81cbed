"""The beacon: its signatures, its times, and what a game does with it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.to_client import BeaconMixed, NumberCalled, StatusChanged
from protocol.views import BeaconView
from server.dev.beacon import DevBeacon
from server.rules import events
from server.rules.beacon import QUICKNET, Chain, mixed, randomness, verifies
from server.rules.commands import ArrangeGrid, Claim, Leave, MixBeacon
from server.rules.draw import call_order
from server.rules.lobby import due_at
from server.rules.proofs import proof
from server.rules.verify import verify_proof
from server.rules.views import public_view
from tests.rules.endings import play_until_won
from tests.rules.games import AWAITED, BEACON, CLASSIC, Game, active, arranging, kinds, ticket
from tests.rules.ledger import balanced, totals

KEYS = {BEACON.chain.chain_hash: BEACON.chain.public_key}
INTERVAL = CLASSIC.call_interval_ms
# Rounds of quicknet as https://api.drand.sh answers for them, of two years.
QUICKNET_ROUNDS = [
    (
        1000,
        "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed"
        "5e39",
        "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd",
    ),
    (
        32281667,
        "b0f5ae301358ff87a9d3dd539ed4a07c0148b1ab4f7b61a8ca43c7e9ca7ca9553e4faae9188deb30b2cd1a7f447e"
        "3e5b",
        "4fd2fc55983dbfa3f446d8a0bd56f16cc8c5e76afd1ec154b60d477cbabed13b",
    ),
    (
        32285085,
        "81dbce51d584d90d618547f4b50391d53ace6f6b9aeb8fb67e1879427af9d0310ac0ec6f519271d9a313ee84b378"
        "d416",
        "d42020c3c65a4ec6adda3a69fdd41a698f31b661859e0e00f1276580a41d67ce",
    ),
]
chains = st.builds(
    Chain,
    st.just("00" * 32),
    st.just(""),
    st.integers(0, 2_000_000_000).map(lambda seconds: seconds * 1000),
    st.integers(1, 3600).map(lambda seconds: seconds * 1000),
)

# --- signatures ------------------------------------------------------------------------------


@pytest.mark.parametrize(("round", "signature", "value"), QUICKNET_ROUNDS)
def test_a_real_round_of_quicknet_verifies_and_its_value_is_the_hash_of_its_signature(
    round: int, signature: str, value: str
) -> None:
    assert verifies(QUICKNET.public_key, round, signature)
    assert randomness(signature) == value


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "é" * 96,
        "zz" * 48,
        "00" * 48,
        "c0" + "00" * 47,  # the neutral point
        QUICKNET_ROUNDS[0][1].upper(),
        QUICKNET_ROUNDS[0][1] + "00",
        "94" + QUICKNET_ROUNDS[0][1][2:],  # its negative
        QUICKNET_ROUNDS[1][1],
        QUICKNET.public_key,
    ],
)
def test_nothing_else_verifies(signature: str) -> None:
    assert not verifies(QUICKNET.public_key, 1000, signature)


@pytest.mark.parametrize("round", [-1, 0, 999, 1001, 2**64])
def test_a_signature_is_of_one_round(round: int) -> None:
    assert not verifies(QUICKNET.public_key, round, QUICKNET_ROUNDS[0][1])


@pytest.mark.parametrize("key", ["", "00" * 96, "c0" + "00" * 95, QUICKNET.public_key.upper()])
def test_what_is_no_key_verifies_nothing(key: str) -> None:
    assert not verifies(key, 1000, QUICKNET_ROUNDS[0][1])
    assert not verifies(key, 1000, "c0" + "00" * 47)


@given(st.integers(1, 2**40))
def test_who_has_the_key_signs_and_nobody_else_does(round: int) -> None:
    assert verifies(BEACON.chain.public_key, round, BEACON.signature(round))
    assert not verifies(DevBeacon().chain.public_key, round, BEACON.signature(round))


# --- times -----------------------------------------------------------------------------------


@given(chains, st.integers(1, 10**7))
def test_rounds_come_at_fixed_times(chain: Chain, round: int) -> None:
    assert chain.time_ms(1) == chain.genesis_ms
    assert chain.time_ms(round + 1) - chain.time_ms(round) == chain.period_ms


@given(chains, st.integers(0, 3 * 10**12))
def test_the_round_is_the_first_that_is_a_second_after_anything_within_a_millisecond(
    chain: Chain, at_ms: int
) -> None:
    round = chain.round_after(at_ms)
    assert chain.time_ms(round) >= at_ms + 1 + 1000
    assert round == 1 or chain.time_ms(round - 1) < at_ms + 1 + 1000


# --- a game ----------------------------------------------------------------------------------


def waiting(*players: str) -> Game:
    """A game that has started and waits for its beacon."""
    game = active(*(players or ("ann", "bob")), beacon=AWAITED)
    assert game.lobby.awaited is not None
    return game


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
    assert due_at(early.lobby) == started_at + INTERVAL
    late.now_ms += 10 * INTERVAL + 5
    assert kinds(late.do(late.beacon_comes())) == ["BeaconMixed", "NumberCalled"]
    assert due_at(late.lobby) == late.now_ms + INTERVAL
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
    assert verify_proof(document, KEYS) == []


def test_a_wait_for_the_beacon_that_ends_before_its_round_is_due_in_time() -> None:
    game = active("ann", "bob", beacon=replace(AWAITED, patience_ms=100))
    assert game.lobby.started_at is not None
    assert due_at(game.lobby) == game.lobby.started_at + 100


# --- the proof -------------------------------------------------------------------------------


def won_with_beacon() -> dict[str, object]:
    """The proof of a game with a beacon that Ann won."""
    game = waiting()
    play_until_won(game, "ann")
    shown = proof(game.lobby)
    assert shown is not None
    return shown.model_dump(mode="json")


PROOF = won_with_beacon()


def test_the_proof_shows_the_beacon_before_the_numbers_and_holds() -> None:
    names = [*PROOF]
    assert names[names.index("numbers_called") - 1] == "beacon"
    assert isinstance(PROOF["beacon"], dict)
    assert [*PROOF["beacon"]] == ["chain_hash", "round", "signature", "randomness"]
    assert verify_proof(PROOF, KEYS) == []


def test_a_proof_is_checked_under_the_key_that_is_known_here() -> None:
    [difference] = verify_proof(PROOF)
    assert "not known here" in difference
    stranger = {BEACON.chain.chain_hash: DevBeacon().chain.public_key}
    [difference] = verify_proof(PROOF, stranger)
    assert "beacon.signature" in difference


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("chain_hash", QUICKNET.chain_hash),
        ("round", 1),
        ("signature", BEACON.signature(1)),
        ("signature", None),
        ("randomness", "00" * 32),
        ("randomness", None),
    ],
)
def test_a_beacon_that_was_altered_is_found_in_more_than_the_hash(
    field: str, value: object
) -> None:
    assert isinstance(PROOF["beacon"], dict)
    altered = PROOF | {"beacon": PROOF["beacon"] | {field: value}}
    keys = KEYS | {QUICKNET.chain_hash: QUICKNET.public_key}
    found = verify_proof(altered, keys)
    assert len([difference for difference in found if "proof_hash" not in difference]) > 0


def test_a_beacon_cannot_be_left_out_nor_added() -> None:
    without = {name: value for name, value in PROOF.items() if name != "beacon"}
    assert any("numbers_called" in difference for difference in verify_proof(without, KEYS))
    game = active("ann", "bob")
    play_until_won(game, "ann")
    shown = proof(game.lobby)
    assert shown is not None
    added = shown.model_dump(mode="json") | {"beacon": PROOF["beacon"]}
    assert any("numbers_called" in difference for difference in verify_proof(added, KEYS))


def test_a_game_without_a_beacon_shows_none() -> None:
    game = active("ann", "bob")
    play_until_won(game, "ann")
    texts = [event.model_dump_json() for event in game.room_events]
    texts.append(public_view(game.lobby, 0).model_dump_json())
    assert not [text for text in texts if "beacon" in text]
    assert not [e for e in game.events if isinstance(e, events.BeaconChosen)]
