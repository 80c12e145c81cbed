"""The ledger, added up."""

from collections import Counter
from collections.abc import Iterable

from server.rules.money import Movement


def totals(movements: Iterable[Movement]) -> Counter[str]:
    """The sum of each kind of entry, in coins."""
    sums: Counter[str] = Counter()
    for movement in movements:
        sums[movement.kind] += movement.amount  # type: ignore[assignment]
    return sums


def balanced(movements: Iterable[Movement]) -> bool:
    """Whether what came in is exactly what is in pots, owed, or the house's."""
    sums = totals(movements)
    return sums["received"] == (
        sums["pot"] + sums["payout_owed"] + sums["refund_owed"] + sums["house"]
    )
