"""A proof with a beacon in it."""

import pytest

from server.dev.beacon import DevBeacon
from server.rules import events
from server.rules.beacon import QUICKNET
from server.rules.proofs import proof
from server.rules.verify import verify_proof
from server.rules.views import public_view
from tests.rules.endings import play_until_won
from tests.rules.games import BEACON, BEACON_KEYS, active, waiting


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
    assert verify_proof(PROOF, BEACON_KEYS) == []


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
    keys = BEACON_KEYS | {QUICKNET.chain_hash: QUICKNET.public_key}
    found = verify_proof(altered, keys)
    assert len([difference for difference in found if "proof_hash" not in difference]) > 0


def test_a_beacon_cannot_be_left_out_nor_added() -> None:
    without = {name: value for name, value in PROOF.items() if name != "beacon"}
    assert any("numbers_called" in difference for difference in verify_proof(without, BEACON_KEYS))
    game = active("ann", "bob")
    play_until_won(game, "ann")
    shown = proof(game.lobby)
    assert shown is not None
    added = shown.model_dump(mode="json") | {"beacon": PROOF["beacon"]}
    assert any("numbers_called" in difference for difference in verify_proof(added, BEACON_KEYS))


def test_a_game_without_a_beacon_shows_none() -> None:
    game = active("ann", "bob")
    play_until_won(game, "ann")
    texts = [event.model_dump_json() for event in game.room_events]
    texts.append(public_view(game.lobby, 0).model_dump_json())
    assert not [text for text in texts if "beacon" in text]
    assert not [e for e in game.events if isinstance(e, events.BeaconChosen)]
