"""What a player is refused for, and which of several reasons is named."""

from collections.abc import Callable

import pytest

from protocol.errors import ErrorCode, Refused
from server.rules.commands import ArrangeGrid, Claim, Command, Leave, SelectNumbers
from tests.rules.endings import run_out
from tests.rules.games import Game, active, arranging, forming, ticket

NUMBERS = tuple(range(1, 10))
COMMANDS: dict[str, Callable[[str], Command]] = {
    "select": lambda player: SelectNumbers(player, NUMBERS),
    "arrange": lambda player: ArrangeGrid(player, ticket(1)),
    "claim": Claim,
    "leave": Leave,
    "select badly": lambda player: SelectNumbers(player, (0,)),
    "arrange badly": lambda player: ArrangeGrid(player, ((0,),)),
}


def never_seated() -> Game:
    return forming("bob", "cy")


def unpaid() -> Game:
    game = forming("bob", "cy")
    game.sit("ann")
    return game


def paid() -> Game:
    return forming("ann", "bob", "cy")


def ready() -> Game:
    game = forming("ann", "bob", "cy")
    game.do(ArrangeGrid("ann", ticket(1)))
    return game


def arranges() -> Game:
    return arranging("ann", "bob", "cy")


def left_arranging() -> Game:
    game = arranging("ann", "bob", "cy")
    game.do(Leave("ann"))
    return game


def playing() -> Game:
    return active("ann", "bob", "cy")


def left_playing() -> Game:
    game = active("ann", "bob", "cy")
    game.do(Leave("ann"))
    return game


def kicked() -> Game:
    game = active("ann", "bob", "cy")
    game.do(Claim("ann"))
    return game


def over() -> Game:
    return run_out(playing())


def kicked_and_over() -> Game:
    return run_out(kicked())


def left_and_over() -> Game:
    return run_out(left_playing())


def never_seated_and_over() -> Game:
    return run_out(active("bob", "cy"))


ALL = (
    "select",
    "arrange",
    "claim",
    "leave",
    "select badly",
    "arrange badly",
)
TICKET = ("select", "arrange", "select badly", "arrange badly")
EXPECTED: dict[tuple[Callable[[], Game], tuple[str, ...]], ErrorCode | None] = {
    (never_seated, ALL): ErrorCode.NOT_SEATED,
    (never_seated_and_over, ALL): ErrorCode.NOT_SEATED,
    (kicked, ALL): ErrorCode.REMOVED_FROM_GAME,
    (kicked_and_over, ALL): ErrorCode.REMOVED_FROM_GAME,
    (left_arranging, ALL): ErrorCode.NOT_ACTIVE,
    (left_playing, ALL): ErrorCode.NOT_ACTIVE,
    (left_and_over, ALL): ErrorCode.NOT_ACTIVE,
    (over, ALL): ErrorCode.WRONG_STATUS,
    (playing, TICKET): ErrorCode.WRONG_STATUS,
    (unpaid, ("claim",)): ErrorCode.WRONG_STATUS,
    (paid, ("claim",)): ErrorCode.WRONG_STATUS,
    (arranges, ("claim",)): ErrorCode.WRONG_STATUS,
    (ready, ("claim",)): ErrorCode.WRONG_STATUS,
    (unpaid, TICKET): ErrorCode.NOT_PAID,
    (ready, ("select", "select badly")): ErrorCode.ALREADY_ARRANGED,
    (paid, ("select badly",)): ErrorCode.INVALID_NUMBERS,
    (arranges, ("select badly",)): ErrorCode.INVALID_NUMBERS,
    (paid, ("arrange badly",)): ErrorCode.INVALID_GRID,
    (ready, ("arrange badly",)): ErrorCode.INVALID_GRID,
    (arranges, ("arrange badly",)): ErrorCode.INVALID_GRID,
    (paid, ("select", "arrange", "leave")): None,
    (unpaid, ("leave",)): None,
    (arranges, ("select", "arrange", "leave")): None,
    (ready, ("arrange", "leave")): None,
    (playing, ("claim", "leave")): None,
}
CASES = [
    pytest.param(situation, name, code, id=f"{situation.__name__}-{name}-{code or 'allowed'}")
    for (situation, names), code in EXPECTED.items()
    for name in names
]


@pytest.mark.parametrize(("situation", "name", "code"), CASES)
def test_the_first_reason_that_holds_is_the_one_named(
    situation: Callable[[], Game], name: str, code: ErrorCode | None
) -> None:
    game = situation()
    before = game.lobby
    answer = game.attempt(COMMANDS[name]("ann"))
    if code is None:
        assert not isinstance(answer, Refused)
    else:
        assert isinstance(answer, Refused)
        assert answer.code == code
        assert game.lobby is before


def test_every_situation_is_tried_with_every_command() -> None:
    tried = {(situation, name) for situation, names in EXPECTED for name in names}
    situations = {situation for situation, _ in EXPECTED}
    untried = {(s.__name__, n) for s in situations for n in ALL if (s, n) not in tried}
    assert untried == set()


def test_a_wrong_shape_is_named_before_wrong_numbers() -> None:
    game = paid()
    game.do(SelectNumbers("ann", NUMBERS))
    for grid, code in (
        (ticket(20)[:2], ErrorCode.INVALID_GRID),
        (ticket(20), ErrorCode.NOT_YOUR_NUMBERS),
    ):
        refused = game.attempt(ArrangeGrid("ann", grid))
        assert isinstance(refused, Refused)
        assert refused.code == code


def test_a_claim_after_the_end_removes_nobody() -> None:
    game = over()
    assert isinstance(game.attempt(Claim("ann")), Refused)
    assert not game.lobby.players["ann"].kicked
