"""A seat that is not paid yet, and how its invoice stands later."""

from server.rules.payments import Receipt
from server.rules.variants import Variant
from tests.rules.games import CLASSIC, Game
from tests.rules.ledger import totals

REFUND_OWED = {"received": 3500, "refund_owed": 3500}


def seated(variant: Variant = CLASSIC, coin_decimals: int = 0) -> tuple[Game, str]:
    """Ann holds a seat that she has not paid; and its invoice."""
    game = Game(variant, coin_decimals=coin_decimals)
    game.sit("ann")
    return game, game.lobby.invoices["ann"]


def owed_for(game: Game, invoice: str) -> tuple[str, int]:
    """How an invoice stands, and how many units of it are owed back."""
    known = game.invoices[invoice]
    return known.status, known.owed_units


def is_owed_back(receipt: Receipt) -> bool:
    """Whether the payment was received, changed no lobby, and is owed back whole."""
    return (
        (receipt.processed, receipt.reason) == (True, "refund_owed")
        and not receipt.events
        and totals(receipt.movements) == REFUND_OWED
    )
