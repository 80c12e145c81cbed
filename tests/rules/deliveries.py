"""Deliveries that are not as they should be."""

from dataclasses import replace

from server.rules.payments import Delivery
from tests.rules.games import Game
from tests.rules.strategies import Trouble


def troubled(game: Game, invoice: str, trouble: Trouble, last: Delivery | None) -> Delivery:
    """A new delivery about `invoice` with this trouble; "known" is `last`, if there was one."""
    good = game.payment(invoice)
    units = game.invoices[invoice].units
    match trouble:
        case "failed":
            return game.failure(invoice)
        case "recipient":
            return replace(good, recipient="somebody else")
        case "network":
            return replace(good, network="another")
        case "decimals":
            return replace(good, decimals=game.coin_decimals + 1)
        case "no amount":
            return replace(good, units=None)
        case "too much":
            return replace(good, units=units + 1)
        case "too little":
            return replace(good, units=units - 1)
        case "known" if last is not None:
            return last
    return good
