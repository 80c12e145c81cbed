"""A player's own limits: what counts, what holds at once, and what has to be waited for."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import ErrorCode, Refused
from server.rules.limits import (
    DAY_MS,
    PERIODS,
    Limit,
    Limits,
    Raise,
    Spending,
    changed,
    excluded,
    in_force,
    refusal,
)

NOW = 1_700_000_000_000
COOLING = DAY_MS
LIMITS: list[Limit] = list(PERIODS)


def paid(*payments: tuple[float, int], held: int = 0) -> Spending:
    return Spending(tuple(payments), held)


def test_a_seat_that_fills_a_limit_exactly_may_be_taken_and_one_coin_more_may_not() -> None:
    limits = Limits(coins_per_day=7000)
    assert refusal(limits, paid((NOW - 1, 3500)), 3500, NOW) is None
    assert refusal(limits, paid((NOW - 1, 3501)), 3500, NOW) == Refused(
        ErrorCode.LIMIT_REACHED,
        {"period": "day", "limit": 7000, "spent": 3501, "free_at": NOW - 1 + DAY_MS},
    )


def test_what_is_held_and_not_paid_counts_as_if_it_were_paid() -> None:
    found = refusal(Limits(coins_per_day=7000), paid(held=7000), 3500, NOW)
    assert found == Refused(
        ErrorCode.LIMIT_REACHED,
        {"period": "day", "limit": 7000, "spent": 7000, "free_at": None},
    )


@pytest.mark.parametrize("limit", LIMITS)
def test_a_payment_counts_until_it_is_as_old_as_the_period(limit: Limit) -> None:
    length = PERIODS[limit][1]
    limits = Limits(**{limit: 3500})  # type: ignore[arg-type]
    assert refusal(limits, paid((NOW - length + 1, 3500)), 3500, NOW) is not None
    assert refusal(limits, paid((NOW - length, 3500)), 3500, NOW) is None


def test_of_several_limits_the_one_that_holds_for_longest_is_named() -> None:
    limits = Limits(coins_per_day=3500, coins_per_week=3500)
    found = refusal(limits, paid((NOW - 1, 3500)), 3500, NOW)
    assert found is not None
    assert found.details is not None
    assert found.details["period"] == "week"


def test_parts_of_coins_count_and_are_shown_rounded_up() -> None:
    spending = Spending(((NOW - 1, Fraction(1, 4)),))
    assert refusal(Limits(coins_per_day=3500), spending, 3500, NOW) is not None
    assert refusal(Limits(coins_per_day=3501), spending, 3500, NOW) is None


def test_the_refusal_of_an_excluded_player_has_the_end_of_the_exclusion() -> None:
    limits = excluded(Limits(), 1, NOW)
    found = refusal(limits, paid(), 3500, NOW)
    assert found == Refused(ErrorCode.LIMIT_REACHED, {"excluded_until": NOW + DAY_MS})
    assert refusal(limits, paid(), 3500, NOW + DAY_MS) is None


@given(st.lists(st.integers(1, 3650), min_size=1))
def test_the_longest_exclusion_holds(days: list[int]) -> None:
    limits = Limits()
    for number in days:
        limits = excluded(limits, number, NOW)
    assert limits.excluded_until == NOW + max(days) * DAY_MS


def test_a_new_or_lower_limit_holds_at_once_and_a_higher_one_or_none_after_the_cooling() -> None:
    limits = changed(Limits(), {"coins_per_day": 7000}, NOW, COOLING)
    assert limits == Limits(coins_per_day=7000)
    for coins in (8000, None):
        raised = changed(limits, {"coins_per_day": coins}, NOW, COOLING)
        assert raised.coins_per_day == 7000
        assert raised.pending == (Raise("coins_per_day", coins, NOW + COOLING),)
        assert in_force(raised, NOW + COOLING - 1).coins_per_day == 7000
        assert in_force(raised, NOW + COOLING) == Limits(coins_per_day=coins)
    assert changed(raised, {"coins_per_day": 3500}, NOW, COOLING) == Limits(coins_per_day=3500)


def test_a_raise_that_is_made_smaller_need_not_be_waited_for_anew_but_a_larger_one_does() -> None:
    limits = changed(Limits(coins_per_day=10), {"coins_per_day": 30}, NOW, COOLING)
    smaller = changed(limits, {"coins_per_day": 20}, NOW + 5, COOLING)
    assert smaller.pending == (Raise("coins_per_day", 20, NOW + COOLING),)
    larger = changed(limits, {"coins_per_day": 40}, NOW + 5, COOLING)
    assert larger.pending == (Raise("coins_per_day", 40, NOW + 5 + COOLING),)


WISHES = st.lists(
    st.tuples(
        st.integers(0, DAY_MS),
        st.dictionaries(st.sampled_from(LIMITS), st.none() | st.integers(0, 50), max_size=3),
    )
)


@given(WISHES)
def test_whatever_is_asked_for_no_limit_is_less_strict_than_a_day_before_unless_asked_then(
    wishes: list[tuple[int, dict[Limit, int | None]]],
) -> None:
    limits, now = Limits(), NOW
    asked: list[tuple[int, dict[Limit, int | None]]] = []
    for later, wanted in wishes:
        before = limits
        now += later
        limits = changed(limits, wanted, now, COOLING)
        asked.append((now, wanted))
        for limit in LIMITS:
            was, is_now = before.of(limit), limits.of(limit)
            is_raised = was is not None and (is_now is None or is_now > was)
            if is_raised:
                assert any(at <= now - COOLING and limit in wish for at, wish in asked)
