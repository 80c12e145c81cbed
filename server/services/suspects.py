"""Pairs of players who may be one person, or play into each other's hands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from server.books import suspects
from server.books.engine import Books
from server.rules.coins import Coins, exact_coins
from server.services.books_asked import asked

SECONDS: Final = 600.0
"""It goes through all games of the time in question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two players who sat together in `shared` of `of_games` games, which is how many whoever
    played less has played; `by_chance` it would be so many. `one_to_other` are the buy-ins, in
    coins, that the one paid in games that the other won. `addresses`: from so many both came."""

    one: str
    other: str
    shared: int
    of_games: int
    by_chance: float
    one_to_other: Coins
    other_to_one: Coins
    addresses: int


class Suspects:
    """Looks for them in the books."""

    def __init__(self, books: Books) -> None:
        self._books = books

    async def find(self, since: datetime, least: int, most: int) -> Sequence[Pair]:
        """At most so many pairs that shared at least so many games which ended since then, those
        that are most to be suspected first. Raises StoreUnavailable."""
        async with asked(self._books, lambda books: books.connect(SECONDS)) as connection:
            rows = await suspects.pairs_that_share(connection, since, least, most)
        return [
            Pair(
                one=row.one,
                other=row.other,
                shared=row.shared,
                of_games=row.of_games,
                by_chance=row.by_chance,
                one_to_other=exact_coins(row.one_to_other),
                other_to_one=exact_coins(row.other_to_one),
                addresses=row.addresses,
            )
            for row in rows
        ]
