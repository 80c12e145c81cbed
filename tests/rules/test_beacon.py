"""The beacon: its signatures and its times."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.dev.beacon import DevBeacon
from server.rules.beacon import QUICKNET, Chain, randomness, verifies
from tests.rules.games import BEACON

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
