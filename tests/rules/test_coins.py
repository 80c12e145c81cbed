"""Amounts: whatever comes in, to its last unit."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.rules.coins import coins_of, coins_text, read_coins

DECIMALS = st.integers(0, 36)
UNITS = st.integers(-(10**78), 10**78)


@pytest.mark.parametrize(
    ("units", "decimals", "text"),
    [
        (3_499_999_999, 6, "3499.999999"),
        (999_999, 6, "0.999999"),
        (-999_999, 6, "-0.999999"),
        (3_500_250_000, 6, "3500.25"),
        (3_500_000_000, 6, "3500"),
        (0, 6, "0"),
        (1, 36, "0." + 35 * "0" + "1"),
        (10**40 - 1, 0, 40 * "9"),
    ],
)
def test_an_amount_is_a_plain_decimal(units: int, decimals: int, text: str) -> None:
    assert coins_text(coins_of(units, decimals)) == text
    assert read_coins(text) == Fraction(units, 10**decimals)


@given(UNITS, DECIMALS)
def test_an_amount_is_read_as_it_was_written(units: int, decimals: int) -> None:
    amount = coins_of(units, decimals)
    assert read_coins(coins_text(amount)) == amount == Fraction(units, 10**decimals)


@given(st.lists(st.tuples(UNITS, DECIMALS)))
def test_a_sum_loses_no_unit(amounts: list[tuple[int, int]]) -> None:
    total = sum(coins_of(units, decimals) for units, decimals in amounts)
    assert total * 10**36 == sum(units * 10 ** (36 - decimals) for units, decimals in amounts)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "much",
        "1e3",
        "1/3",
        ".5",
        "5.",
        "+1",
        " 1",
        "1_000",
        "nan",
        "inf",
        "٣",
        "1,5",
        101 * "9",
    ],
)
def test_what_is_no_plain_decimal_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="plain decimal"):
        read_coins(text)
