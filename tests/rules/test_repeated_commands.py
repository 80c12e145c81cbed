"""A command whose answer did not arrive is repeated: it must not hurt."""

import pytest

from protocol.errors import ErrorCode, Refused
from server.rules.commands import ArrangeGrid, Claim, Leave, SelectNumbers, TakeSeat
from tests.rules.endings import won
from tests.rules.games import Game, active, arranging, forming, ticket

NUMBERS = tuple(range(1, 10))


def test_the_winner_may_claim_again_and_nobody_else() -> None:
    game = won()
    assert game.do(Claim("ann")) == []
    assert game.attempt(Claim("bob")) == Refused(ErrorCode.WRONG_STATUS, {"status": "finished"})


def test_whose_false_claim_was_counted_is_refused_as_removed() -> None:
    game = active("ann", "bob", "cy")
    game.do(Claim("ann"))
    assert game.attempt(Claim("ann")) == Refused(ErrorCode.REMOVED_FROM_GAME)


@pytest.mark.parametrize("game", [forming("ann", "bob"), arranging("ann", "bob")])
def test_the_same_numbers_and_the_same_grid_may_be_sent_again(game: Game) -> None:
    assert game.do(SelectNumbers("ann", NUMBERS)) != []
    assert game.do(SelectNumbers("ann", NUMBERS)) == []
    assert game.do(ArrangeGrid("ann", ticket(1))) != []
    assert game.do(ArrangeGrid("ann", ticket(1))) == []


def test_who_has_left_is_refused() -> None:
    for game, code in (
        (forming("ann", "bob"), ErrorCode.NOT_SEATED),
        (arranging("ann", "bob"), ErrorCode.NOT_ACTIVE),
        (active("ann", "bob", "cy"), ErrorCode.NOT_ACTIVE),
    ):
        game.do(Leave("ann"))
        assert game.attempt(Leave("ann")) == Refused(code)


def test_a_seat_that_is_asked_for_again_is_the_same() -> None:
    game = forming("ann")
    game.sit("bob")
    seat = game.lobby.players["bob"]
    assert game.do(TakeSeat("bob", "", "another invoice", takes_test=False)) == []
    assert game.lobby.players["bob"] == seat
