"""Games that are over, in each of the ways in which one can be."""

from server.rules.commands import ArrangeGrid, Claim, Leave, Void
from tests.rules.brute_force import first_complete
from tests.rules.games import Game, forming, ticket


def run_out(game: Game) -> Game:
    """The same game after time alone brought it to its end."""
    while game.lobby.status != "finished":
        game.tick_when_due()
    return game


def play_until_won(game: Game, winner: str) -> None:
    """Call numbers until `winner` has a line, and let them claim."""
    while not first_complete(game.lobby.players[winner].grid or (), game.lobby.called):
        game.tick_when_due()
    game.do(Claim(winner))


def won() -> Game:
    """A game that Ann won; Bob arranged, Cy left, Dee was kicked."""
    game = forming("dee", "cy", "bob", "ann")
    game.do(ArrangeGrid("bob", ticket(30)))
    game.tick_when_due()
    game.tick_when_due()
    game.do(Leave("cy"))
    game.do(Claim("dee"))
    play_until_won(game, "ann")
    return game


def cancelled() -> Game:
    """A lobby in which one player paid and arranged."""
    game = forming("ann")
    game.do(ArrangeGrid("ann", ticket(1)))
    return run_out(game)


def voided() -> Game:
    """A game that was voided after two calls; Bob arranged, Cy left, Dee was kicked."""
    game = forming("dee", "cy", "bob", "ann")
    game.do(ArrangeGrid("bob", ticket(30)))
    game.tick_when_due()
    game.tick_when_due()
    game.tick_when_due()
    game.do(Leave("cy"))
    game.tick_when_due()
    game.do(Claim("dee"))
    game.do(Void())
    return game
