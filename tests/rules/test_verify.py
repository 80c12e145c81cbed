"""A proof that holds, and what becomes of it when anything in it is altered."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import strict_json
from server.rules.commands import ArrangeGrid, Leave, SelectNumbers
from server.rules.proofs import proof, proof_hash
from server.rules.variants import Variant, lines
from server.rules.verify import verify_proof
from tests.rules import strategies
from tests.rules.endings import play_until_won, run_out, won
from tests.rules.games import CLASSIC, GRAND, Game, active, ticket

Document = dict[str, Any]


def document(game: Game) -> Document:
    """The proof of a game that is over, as everyone gets it."""
    shown = proof(game.lobby)
    assert shown is not None
    return shown.model_dump(mode="json")


def problems(of: Document) -> list[str]:
    """What is wrong with it."""
    return verify_proof(strict_json.loads(json.dumps(of)))


def played(variant: Variant, server_seed: bytes) -> Document:
    """A game that Ann won: she chose her numbers, Bob his grid, Cy and Dee nothing."""
    game = Game(variant, server_seed=server_seed.hex())
    game.sit("dee", client_seed="seed of Dée")
    game.sit("cy", "bob", "ann")
    game.pay("dee", "cy", "bob", "ann")
    game.do(ArrangeGrid("bob", ticket(20, variant.side)))
    game.do(SelectNumbers("ann", tuple(range(variant.ticket_size, 0, -1))))
    game.tick_when_due()
    game.tick_when_due()
    play_until_won(game, "ann")
    return document(game)


def deserted() -> Document:
    """A game that everybody left before it began."""
    game = active("ann", "bob")
    for player in ("ann", "bob"):
        game.do(Leave(player))
    return document(game)


CLASSIC_PROOF = played(CLASSIC, bytes(range(32)))


@given(st.sampled_from([CLASSIC, GRAND]), strategies.server_seeds)
def test_the_proof_of_a_game_holds(variant: Variant, seed: bytes) -> None:
    assert problems(played(variant, seed)) == []


@pytest.mark.parametrize(
    "of", [document(won()), document(run_out(active("bob", "cy"))), deserted()]
)
def test_the_proof_holds_however_the_game_ended(of: Document) -> None:
    assert problems(of) == []


# --- anything altered ------------------------------------------------------------------------

names = st.text("abcdefghij", min_size=1, max_size=6)
hex_seeds = strategies.server_seeds.map(bytes.hex)


@st.composite
def players(draw: st.DrawFn) -> list[list[Any]]:
    """The players in another order, one less, one twice, or with something of one altered."""
    rows: list[list[Any]] = copy.deepcopy(CLASSIC_PROOF["players"])
    row = draw(st.sampled_from(rows))
    match draw(st.sampled_from(["order", "less", "twice", "name", "seed", "grid", "cell"])):
        case "order":
            return draw(st.permutations(rows))
        case "less":
            rows.remove(row)
        case "twice":
            rows.insert(rows.index(row), row)
        case "name":
            row[0] = draw(names)
        case "seed":
            row[1] = draw(strategies.client_seeds)
        case "grid":
            row[2] = [list(line) for line in draw(strategies.grids(CLASSIC))]
        case "cell":
            line = draw(st.sampled_from(row[2]))
            line[draw(st.integers(0, 2))] = draw(st.integers(-1, 60))
    return rows


ALTERATIONS: dict[str, st.SearchStrategy[Any]] = {
    "lobby_id": st.from_regex(r"lobby_3500_[0-9a-f]{12}", fullmatch=True) | names,
    "variant": st.just("grand") | names,
    "server_seed": hex_seeds,
    "server_seed_hash": hex_seeds,
    "players": players(),
    "arranged": st.dictionaries(
        st.sampled_from(["ann", "bob", "cy", "dee", "zoe"]),
        st.sampled_from(["arranged", "picked"]),
    ),
    "entropy": hex_seeds,
    "numbers_called": st.permutations(CLASSIC_PROOF["numbers_called"])
    | st.lists(st.integers(1, 60))
    | st.integers(0, 49).map(lambda count: CLASSIC_PROOF["numbers_called"][:count]),
    "winner": st.sampled_from(["bob", "cy", "dee", "zoe", "", None]),
    "pattern": st.sampled_from([*lines(3), "row_3", "", None]),
    "log_hash": hex_seeds,
    "proof_hash": hex_seeds,
}


@pytest.mark.parametrize("field", CLASSIC_PROOF)
@given(data=st.data())
def test_a_proof_does_not_hold_with_one_field_altered(field: str, data: st.DataObject) -> None:
    right = CLASSIC_PROOF[field]
    other = data.draw(ALTERATIONS[field].filter(lambda value: value != right))
    assert problems({**CLASSIC_PROOF, field: other})


@pytest.mark.parametrize("numbers", [[], CLASSIC_PROOF["numbers_called"][:-1]])
def test_the_winner_cannot_have_claimed_before_the_pattern_was_complete(numbers: list[int]) -> None:
    earlier = {**CLASSIC_PROOF, "numbers_called": numbers}
    earlier["proof_hash"] = proof_hash(
        {name: value for name, value in earlier.items() if name != "proof_hash"}
    )
    assert problems(earlier) == ["pattern is not the first complete one of the winner's grid"]


def test_all_differences_are_reported() -> None:
    seed = bytes(32).hex()
    assert problems({**CLASSIC_PROOF, "server_seed": seed, "winner": "zoe"}) == [
        "server_seed_hash is not the hash of server_seed",
        "numbers_called are not the head of the order that follows from the seed",
        "the grid of 'ann' is not what arranged says of it",
        "the grid of 'cy' is not what arranged says of it",
        "the grid of 'dee' is not what arranged says of it",
        "the winner is no player",
        "proof_hash is not the hash of the rest",
    ]


HASHES = ("log_hash", "proof_hash")
DRAW_ALONE = {name: value for name, value in CLASSIC_PROOF.items() if name not in HASHES}


def test_a_proof_of_the_draw_alone_holds_without_the_hashes_of_a_log() -> None:
    assert problems(DRAW_ALONE) == []


def test_a_proof_of_the_draw_alone_does_not_hold_with_a_number_altered() -> None:
    assert problems({**DRAW_ALONE, "numbers_called": CLASSIC_PROOF["numbers_called"][::-1]})


# --- another schema --------------------------------------------------------------------------

OTHER_TYPES: list[object] = [None, True, 7, 7.0, "7", [], {}, [[]]]
MAY_BE: dict[str, list[object]] = {
    "winner": [None],
    "pattern": [None],
    "numbers_called": [[]],
    "arranged": [{}],
}


@pytest.mark.parametrize("field", CLASSIC_PROOF)
def test_a_value_of_another_type_is_reported_by_its_field(field: str) -> None:
    for value in OTHER_TYPES:
        if type(value) is not type(CLASSIC_PROOF[field]) and value not in MAY_BE.get(field, []):
            (problem, *_) = problems({**CLASSIC_PROOF, field: value})
            assert problem.startswith(field)


@pytest.mark.parametrize("number", [True, 7.0, "7", None, 0, 10**30])
def test_a_number_called_is_an_integer(number: object) -> None:
    called = [number, *CLASSIC_PROOF["numbers_called"][1:]]
    assert problems({**CLASSIC_PROOF, "numbers_called": called})


@pytest.mark.parametrize("field", CLASSIC_PROOF)
def test_a_field_that_is_missing_is_reported(field: str) -> None:
    of = {name: value for name, value in CLASSIC_PROOF.items() if name != field}
    assert problems(of) == [f"{field}: Field required"]


def test_a_field_too_many_is_reported() -> None:
    assert problems({**CLASSIC_PROOF, "more": 1}) == ["more: Extra inputs are not permitted"]


@pytest.mark.parametrize("value", [None, True, 7, "proof", [], {}, [CLASSIC_PROOF]])
def test_what_is_no_proof_at_all_does_not_hold(value: object) -> None:
    assert verify_proof(value)


def test_a_document_nested_as_deep_as_can_be_read_does_not_hold() -> None:
    nested: list[object] = []
    for _ in range(10_000):
        nested = [nested]
    assert verify_proof(nested)
