"""The draw is the published one, bit by bit, and every order is equally likely.

The literal vectors were computed with Node's `crypto`, the first block also with OpenSSL.
"""

import hashlib
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.rules.commands import ArrangeGrid, Leave, SelectNumbers
from server.rules.draw import (
    call_order,
    mix_entropy,
    seed_hash,
    server_grid,
    shuffled,
    stream,
)
from server.rules.proofs import proof
from server.rules.variants import Variant
from tests.rules import other_draw, strategies
from tests.rules.endings import run_out
from tests.rules.games import CLASSIC, GRAND, LOBBY_ID, Game, active, arranging, ticket

SEED = bytes(range(32))
ENTROPY = "67aa2e33b639692c70efde7b0fd1952bdf5644c3a6e081e276a8b759a6b5958d"
messages = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)

# --- vectors ---------------------------------------------------------------------------------


def test_the_commitment_is_the_sha256_of_the_seed_in_lower_case_hex() -> None:
    assert seed_hash(SEED) == "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd"


def test_a_stream_is_hmac_blocks_read_as_big_endian_numbers() -> None:
    assert [f"{u:08x}" for u in islice(stream(SEED, "m"), 10)] == [
        *("c775a8f0", "11182305", "6f5d0b1c", "7d327382"),
        *("1cba1818", "576692db", "0a33ca61", "d76f36c2"),
        *("0b4cb85b", "06a5dcac"),
    ]


def test_the_order_of_a_classic_game() -> None:
    assert call_order(SEED, LOBBY_ID, ENTROPY, 50) == (
        *(16, 34, 3, 12, 10, 39, 40, 29, 47, 49, 17, 19, 42, 45, 50, 8, 36, 35, 48, 20, 18, 37),
        *(22, 25, 9, 43, 27, 15, 23, 33, 7, 41, 1, 6, 30, 14, 4, 32, 38, 13, 26, 2, 44, 28, 21),
        *(46, 24, 5, 31, 11),
    )


def test_the_order_of_a_grand_game() -> None:
    assert call_order(SEED, LOBBY_ID, ENTROPY, 75) == (
        *(66, 48, 54, 50, 44, 8, 63, 7, 55, 25, 38, 13, 17, 75, 45, 4, 57, 36, 1, 71, 70, 49, 37),
        *(10, 60, 67, 6, 32, 56, 74, 73, 23, 11, 52, 12, 29, 24, 43, 5, 53, 65, 28, 68, 39, 47),
        *(40, 15, 59, 46, 34, 22, 64, 21, 72, 51, 42, 14, 62, 2, 20, 18, 3, 33, 16, 58, 69, 9, 19),
        *(41, 26, 30, 27, 31, 35, 61),
    )


def test_a_grid_that_the_server_picked() -> None:
    picked = server_grid(SEED, LOBBY_ID, "ann", None, side=3, highest=50)
    assert picked == ((4, 37, 15), (41, 43, 21), (28, 10, 36))


def test_a_grand_grid_that_the_server_picked() -> None:
    assert server_grid(SEED, LOBBY_ID, "ann", None, side=5, highest=75) == (
        (47, 51, 46, 18, 59),
        (72, 73, 34, 67, 66),
        (65, 29, 3, 10, 74),
        (38, 32, 75, 20, 35),
        (50, 60, 16, 52, 57),
    )


def test_a_grid_that_the_server_arranged_does_not_depend_on_the_order_of_choosing() -> None:
    chosen = (45, 5, 40, 10, 35, 15, 30, 20, 25)
    expected = ((15, 10, 30), (35, 25, 45), (40, 5, 20))
    for numbers in (chosen, chosen[::-1]):
        assert server_grid(SEED, LOBBY_ID, "ann", numbers, side=3, highest=50) == expected


# --- the entropy -----------------------------------------------------------------------------

ANN = ("ann", 'ü"\\/\u2028\n😀 é\x7f', ((10, 20, 30), (40, 50, 11), (21, 31, 41)))
BOB = ("Bob", "", ((1, 2, 3), (4, 5, 6), (7, 8, 9)))
CANONICAL = (
    b'[["Bob","",[[1,2,3],[4,5,6],[7,8,9]]],'
    b'["ann","\xc3\xbc\\"\\\\/\xe2\x80\xa8\\n\xf0\x9f\x98\x80 \xc3\xa9\x7f",'
    b"[[10,20,30],[40,50,11],[21,31,41]]]]"
)


def test_the_entropy_is_the_hash_of_json_without_spaces_or_ascii_escapes() -> None:
    assert mix_entropy([ANN, BOB]) == hashlib.sha256(CANONICAL).hexdigest() == ENTROPY


def test_the_entropy_does_not_depend_on_the_order_of_seating() -> None:
    assert mix_entropy([BOB, ANN]) == mix_entropy([ANN, BOB])


def test_players_are_sorted_by_code_point() -> None:
    ids = ["a", "Z", "_", "10", "9", "@", "aa", "-", ":", "."]
    text = ",".join(f'["{i}","",[[1]]]' for i in ["-", ".", "10", "9", ":", "@", "Z", "_"])
    expected = f'[{text},["a","",[[1]]],["aa","",[[1]]]]'
    entropy = mix_entropy((i, "", ((1,),)) for i in ids)
    assert entropy == hashlib.sha256(expected.encode()).hexdigest()


@given(strategies.client_seeds, strategies.client_seeds)
def test_another_client_seed_is_another_entropy(one: str, other: str) -> None:
    same = mix_entropy([("ann", one, ticket(1))]) == mix_entropy([("ann", other, ticket(1))])
    assert same == (one == other)


@given(strategies.client_seeds)
def test_any_client_seed_has_an_entropy_that_the_published_proof_leads_to(client_seed: str) -> None:
    game = Game()
    game.sit("ann", "bob", client_seed=client_seed)
    game.pay("ann", "bob")
    game.do(ArrangeGrid("ann", ticket(1)))
    game.do(SelectNumbers("bob", tuple(range(50, 41, -1))))
    run_out(game)
    shown = proof(game.lobby)
    assert shown is not None
    grids = {p: tuple(tuple(row) for row in grid) for p, _, grid in shown.players}
    assert mix_entropy((p, seed, grids[p]) for p, seed, _ in shown.players) == shown.entropy
    order, _ = other_draw.shuffle(
        range(1, 51), bytes.fromhex(shown.server_seed), f"{shown.lobby_id}:{shown.entropy}"
    )
    assert shown.numbers_called == order
    bobs, _ = other_draw.shuffle(range(42, 51), SEED, f"{shown.lobby_id}:grid:bob")
    assert [n for row in grids["bob"] for n in row] == bobs


# --- against another implementation ----------------------------------------------------------


@given(strategies.server_seeds, messages)
def test_any_stream_is_the_one_that_rfc_2104_gives(seed: bytes, message: str) -> None:
    ours, others = stream(seed, message), other_draw.numbers(seed, message)
    assert [next(ours) for _ in range(30)] == [next(others) for _ in range(30)]


def test_thousands_of_orders_are_those_of_another_implementation() -> None:
    for i in range(2_000):
        seed = hashlib.sha256(b"seed %d" % i).digest()
        highest = (50, 75)[i % 2]
        expected, _ = other_draw.shuffle(range(1, highest + 1), seed, f"{LOBBY_ID}:{i:064x}")
        assert [*call_order(seed, LOBBY_ID, f"{i:064x}", highest)] == expected


@given(strategies.server_seeds, st.lists(st.integers(), max_size=200), messages)
def test_any_shuffle_is_that_of_another_implementation(
    seed: bytes, items: list[int], message: str
) -> None:
    expected, _ = other_draw.shuffle(items, seed, message)
    assert [*shuffled(items, seed, message)] == expected


def test_numbers_that_would_favour_some_orders_are_skipped() -> None:
    """Of so many items, some number is too large to be fair (it is skipped once in this one)."""
    expected, skipped = other_draw.shuffle(range(100_000), SEED, "d")
    assert len(skipped) == 1
    assert [*shuffled(range(100_000), SEED, "d")] == expected


@pytest.mark.parametrize("variant", [CLASSIC, GRAND], ids=lambda variant: variant.name)
@given(seed=strategies.server_seeds, alien_id=strategies.alien_ids, data=st.data())
def test_any_grid_by_the_server_is_that_of_another_implementation(
    variant: Variant, seed: bytes, alien_id: str, data: st.DataObject
) -> None:
    side, highest = variant.side, variant.highest
    chosen = data.draw(st.none() | strategies.numbers(variant))
    pool = range(1, highest + 1) if chosen is None else sorted(chosen)
    order, _ = other_draw.shuffle(pool, seed, f"{LOBBY_ID}:grid:{alien_id}")
    grid = server_grid(seed, LOBBY_ID, alien_id, chosen, side=side, highest=highest)
    assert [list(row) for row in grid] == [order[r * side : (r + 1) * side] for r in range(side)]


# --- uniformity ------------------------------------------------------------------------------


@pytest.mark.parametrize("highest", [5, 50, 75])
def test_every_number_is_equally_likely_in_every_place(highest: int) -> None:
    """Chi-square over place x number, which has (n - 1)^2 degrees of freedom for permutations.
    The seeds are fixed, so the sample is always the same one."""
    samples = 4_000
    counts = [[0] * (highest + 1) for _ in range(highest)]
    for i in range(samples):
        for place, number in enumerate(call_order(SEED, LOBBY_ID, f"{i:064x}", highest)):
            counts[place][number] += 1
    expected = samples / highest
    spread = sum((seen - expected) ** 2 / expected for row in counts for seen in row[1:])
    freedom = (highest - 1) ** 2
    deviations = (spread * (highest - 1) / highest - freedom) / (2 * freedom) ** 0.5
    assert abs(deviations) < 4


def test_all_orders_of_a_few_numbers_are_equally_likely() -> None:
    samples, orders = 12_000, 24
    counts: dict[tuple[int, ...], int] = {}
    for i in range(samples):
        order = call_order(SEED, LOBBY_ID, f"{i:064x}", 4)
        counts[order] = counts.get(order, 0) + 1
    expected = samples / orders
    spread = sum((seen - expected) ** 2 / expected for seen in counts.values())
    assert len(counts) == orders
    assert abs(spread - (orders - 1)) / (2 * (orders - 1)) ** 0.5 < 4


# --- in a game -------------------------------------------------------------------------------


def test_the_numbers_are_called_in_the_order_that_seed_and_entropy_give() -> None:
    game = active("ann", "bob")
    run_out(game)
    seed = bytes.fromhex(game.lobby.server_seed)
    expected, _ = other_draw.shuffle(range(1, 51), seed, f"{LOBBY_ID}:{game.lobby.entropy}")
    assert [*game.lobby.called] == expected


def test_who_paid_contributes_to_the_draw_even_after_leaving() -> None:
    game = arranging("ann", "bob", "cy")
    game.do(Leave("ann"))
    game.tick_when_due()
    players = game.lobby.players.values()
    assert [player.alien_id for player in players] == ["ann", "bob", "cy"]
    everybody = [(p.alien_id, p.client_seed, p.grid or ()) for p in players]
    assert game.lobby.entropy == mix_entropy(everybody)


def test_a_grid_arranged_otherwise_is_another_order() -> None:
    orders = set()
    for grid in (ticket(1), ticket(1)[::-1]):
        game = Game()
        game.seat("ann", "bob")
        game.do(ArrangeGrid("ann", grid))
        game.tick_when_due()
        game.tick_when_due()
        orders.add(game.lobby.order)
    assert len(orders) == 2
