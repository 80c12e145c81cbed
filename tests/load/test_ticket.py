"""The load tool's ticket: its numbers, and the patterns that are complete."""

import itertools

import pytest

from server.load.ticket import Ticket

HIGHEST = 50
PATTERNS = {
    "row_1": [(1, 0), (1, 1), (1, 2)],
    "diag_rl": [(0, 2), (1, 1), (2, 0)],
    "corners": [(0, 0), (0, 2), (2, 0), (2, 2)],
}


def classic() -> Ticket:
    """A ticket of a game in which these patterns win."""
    ticket = Ticket(3, HIGHEST)
    ticket.set_patterns(PATTERNS)
    return ticket


def test_the_grid_holds_nine_different_numbers_in_range() -> None:
    numbers = list(itertools.chain(*classic().grid))

    assert len(set(numbers)) == 9
    assert all(1 <= number <= HIGHEST for number in numbers)


@pytest.mark.parametrize("cells", PATTERNS.values(), ids=PATTERNS)
def test_a_pattern_is_complete_with_its_last_number(cells: list[tuple[int, int]]) -> None:
    ticket = classic()
    for row, column in cells[:-1]:
        ticket.mark(ticket.grid[row][column])
    before = ticket.is_complete

    ticket.mark(ticket.grid[cells[-1][0]][cells[-1][1]])

    assert (before, ticket.is_complete) == (False, True)


def test_numbers_of_others_change_nothing() -> None:
    ticket = classic()
    others = set(range(1, HIGHEST + 1)).difference(ticket.numbers)

    assert not [number for number in others if ticket.mark(number)]
    assert not ticket.is_complete
