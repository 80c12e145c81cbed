"""What a ticket is, and which line of it is complete."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import ErrorCode, Refused
from server.rules.tickets import Complete, Incomplete, check_grid, check_numbers, judge
from server.rules.variants import Variant
from tests.rules import strategies
from tests.rules.brute_force import first_complete, lines, nearest_missing
from tests.rules.games import CLASSIC, GRAND, ticket

GRID = ticket(1)
CELLS = range(1, 10)
both = pytest.mark.parametrize("variant", [CLASSIC, GRAND], ids=lambda variant: variant.name)


def code(refused: Refused | None) -> ErrorCode | None:
    """Why something was refused, if it was."""
    return None if refused is None else refused.code


# --- numbers and grids -----------------------------------------------------------------------


@both
@given(data=st.data())
def test_the_right_count_of_different_numbers_in_range_is_a_ticket(
    variant: Variant, data: st.DataObject
) -> None:
    grid = data.draw(strategies.grids(variant))
    assert check_numbers(data.draw(strategies.numbers(variant)), variant) is None
    assert check_grid(grid, None, variant) is None
    assert check_grid(grid, sorted(n for row in grid for n in row), variant) is None


@both
@given(data=st.data())
def test_any_integers_are_a_ticket_only_if_they_are_different_in_range_and_enough(
    variant: Variant, data: st.DataObject
) -> None:
    size = variant.ticket_size
    numbers = st.lists(
        st.integers(-1, variant.highest + 2), min_size=size - 1, max_size=size + 1, unique=True
    )
    drawn = data.draw(numbers)
    allowed = len(drawn) == size and min(drawn) > 0 and max(drawn) <= variant.highest
    assert (check_numbers(drawn, variant) is None) == allowed


@pytest.mark.parametrize(
    "numbers",
    [
        (),
        (1, 2, 3, 4, 5, 6, 7, 8),
        (1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
        (1, 2, 3, 4, 5, 6, 7, 8, 8),
        (0, 2, 3, 4, 5, 6, 7, 8, 9),
        (-1, 2, 3, 4, 5, 6, 7, 8, 9),
        (1, 2, 3, 4, 5, 6, 7, 8, 51),
        (1, 2, 3, 4, 5, 6, 7, 8, 10**40),
        (1, 2, 3, 4, 5, 6, 7, 8, 9, 9),
    ],
)
def test_numbers_that_are_no_ticket_are_refused(numbers: tuple[int, ...]) -> None:
    assert code(check_numbers(numbers, CLASSIC)) == ErrorCode.INVALID_NUMBERS


def test_the_ends_of_the_range_belong_to_it() -> None:
    assert check_numbers((1, 2, 3, 4, 5, 6, 7, 49, 50), CLASSIC) is None
    assert check_numbers((*range(1, 25), 75), GRAND) is None


@pytest.mark.parametrize(
    "grid",
    [
        (),
        ((),),
        ((1, 2, 3), (4, 5, 6)),
        ((1, 2, 3), (4, 5, 6), (7, 8)),
        ((1, 2, 3), (4, 5, 6, 7), (8, 9)),
        ((1, 2, 3), (4, 5, 6), (7, 8, 9), ()),
        ((1, 2, 3, 4, 5, 6, 7, 8, 9),),
        tuple((n,) for n in range(1, 10)),
        ((1, 2, 3), (4, 5, 6), (7, 8, 8)),
        ((0, 2, 3), (4, 5, 6), (7, 8, 9)),
        ((1, 2, 3), (4, 5, 6), (7, 8, 51)),
        ticket(1, side=5),
    ],
)
def test_a_grid_of_another_shape_or_of_no_ticket_is_refused(
    grid: tuple[tuple[int, ...], ...],
) -> None:
    assert code(check_grid(grid, None, CLASSIC)) == ErrorCode.INVALID_GRID
    assert code(check_grid(grid, range(30, 39), CLASSIC)) == ErrorCode.INVALID_GRID


def test_a_grid_of_other_numbers_than_the_chosen_ones_is_refused() -> None:
    chosen = (1, 2, 3, 4, 5, 6, 7, 8, 10)
    assert code(check_grid(GRID, chosen, CLASSIC)) == ErrorCode.NOT_YOUR_NUMBERS
    assert check_grid(GRID, range(9, 0, -1), CLASSIC) is None


# --- lines -----------------------------------------------------------------------------------


def test_the_patterns_are_named_in_their_order() -> None:
    assert [*CLASSIC.patterns] == [
        "row_0",
        "row_1",
        "row_2",
        "col_0",
        "col_1",
        "col_2",
        "diag_lr",
        "diag_rl",
    ]
    assert len(GRAND.patterns) == 12


@both
def test_the_patterns_lie_where_their_names_place_them(variant: Variant) -> None:
    grid = ticket(1, variant.side)
    found = [(name, [grid[r][c] for r, c in cells]) for name, cells in variant.patterns.items()]
    assert found == lines(grid)


@pytest.mark.parametrize(
    ("pattern", "called"),
    [
        ("row_0", {1, 2, 3}),
        ("row_1", {4, 5, 6}),
        ("row_2", {7, 8, 9}),
        ("col_0", {1, 4, 7}),
        ("col_1", {2, 5, 8}),
        ("col_2", {3, 6, 9}),
        ("diag_lr", {1, 5, 9}),
        ("diag_rl", {3, 5, 7}),
    ],
)
def test_each_pattern_wins_by_itself_and_not_without_one_of_its_numbers(
    pattern: str, called: set[int]
) -> None:
    assert judge(GRID, called | {10, 50}, CLASSIC.patterns) == Complete(pattern)
    for number in called:
        verdict = judge(GRID, called - {number} | {10, 50}, CLASSIC.patterns)
        assert verdict == Incomplete((number,))


def test_every_set_of_called_numbers_is_judged_as_brute_force_does() -> None:
    for count in range(10):
        for called in combinations(CELLS, count):
            verdict = judge(GRID, called, CLASSIC.patterns)
            name = first_complete(GRID, called)
            if name is None:
                assert verdict == Incomplete(tuple(nearest_missing(GRID, called)))
            else:
                assert verdict == Complete(name)


@both
@given(data=st.data())
def test_any_grid_is_judged_as_brute_force_does(variant: Variant, data: st.DataObject) -> None:
    grid = data.draw(strategies.grids(variant))
    order = data.draw(st.permutations(range(1, variant.highest + 1)))
    called = order[: data.draw(st.integers(0, variant.highest))]
    verdict = judge(grid, called, variant.patterns)
    if isinstance(verdict, Complete):
        assert verdict.pattern == first_complete(grid, called)
    else:
        assert first_complete(grid, called) is None
        assert [*verdict.missing_numbers] == nearest_missing(grid, called)


@pytest.mark.parametrize(
    ("called", "missing"),
    [
        (set(), (1, 2, 3)),
        ({4}, (5, 6)),
        ({1, 5}, (9,)),
        ({2, 5}, (8,)),
        ({1, 2, 5}, (3,)),
        ({7, 6, 2}, (1, 3)),
    ],
)
def test_the_missing_numbers_are_of_the_nearest_pattern_the_first_such(
    called: set[int], missing: tuple[int, ...]
) -> None:
    assert judge(GRID, called, CLASSIC.patterns) == Incomplete(missing)
