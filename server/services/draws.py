"""The draws of the games in the books, as an auditor tests whether they look random."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

from server.books import reading
from server.books.engine import Books
from server.rules.beacon import PublicKeys, mixed
from server.rules.draw import call_order
from server.rules.uniformity import OrderCounts
from server.rules.variants import SHAPES
from server.rules.verify import verify_proof
from server.services.books_asked import asked

_PAGE: Final = 500


@dataclass(slots=True)
class Draws:
    """The orders of a period by variant, and how proofs do not hold, by lobby."""

    counts: dict[str, OrderCounts] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=dict)

    def add(self, lobby_id: str, proof: Mapping[str, Any], keys: PublicKeys) -> None:
        """Count a game by its proof, if that holds."""
        differences = verify_proof(dict(proof), keys)
        if differences:
            self.faults[lobby_id] = differences
            return
        order = order_of(proof)
        if order is not None:
            counts = self.counts.setdefault(proof["variant"], OrderCounts(len(order)))
            counts.add(order)


def order_of(proof: Mapping[str, Any]) -> tuple[int, ...] | None:
    """The whole order that a proof that holds fixes; None if the game ended before it was fixed.

    Not only what was called of it: a game goes on until somebody has a line, so that what is called
    late is what stands on tickets, and those are no chance.
    """
    drawn_by, beacon = proof["entropy"], proof.get("beacon")
    if beacon is not None:
        if beacon["randomness"] is None:
            return None
        drawn_by = mixed(drawn_by, beacon["randomness"])
    seed = bytes.fromhex(proof["server_seed"])
    return call_order(seed, proof["lobby_id"], drawn_by, SHAPES[proof["variant"]].highest)


async def draws(
    books: Books, since: datetime | None, until: datetime | None, keys: PublicKeys
) -> Draws:
    """All draws of the games that ended from `since` on and before `until`. Raises
    StoreUnavailable."""
    found = Draws()
    place: tuple[datetime, str] | None = None
    while True:
        async with asked(books) as connection:
            rows = await reading.proofs_of(connection, since, until, place, _PAGE)
        for row in rows:
            found.add(row.lobby_id, row.proof, keys)
        if len(rows) < _PAGE:
            return found
        place = rows[-1].finished_at, rows[-1].lobby_id


def report_lines(found: Draws, significance: float) -> Iterator[str]:
    """What was found, in lines."""
    for lobby_id, differences in found.faults.items():
        yield f"{lobby_id}: the proof does not hold: {'; '.join(differences)}"
    for variant, counts in sorted(found.counts.items()):
        test = counts.whole()
        yield (
            f"{variant}: {counts.orders} draws of {counts.highest} numbers:"
            f" chi-square {test.statistic:.1f} with {test.degrees} degrees of freedom,"
            f" p = {test.p:.4g}"
        )
        if not counts.enough:
            yield f"  too few to rely on it: {5 * counts.highest} are needed"
        for index in range(counts.highest):
            one = counts.of_position(index)
            if one.p * counts.highest < significance:  # of so many positions one is always odd
                most = max(range(counts.highest), key=counts.counts[index].__getitem__)
                yield (
                    f"  position {index + 1}: chi-square {one.statistic:.1f}, p = {one.p:.4g};"
                    f" {most + 1} came {counts.counts[index][most]} times,"
                    f" {counts.orders / counts.highest:.1f} are expected"
                )


def as_json(found: Draws) -> str:
    """All that was found: for each variant the counts, a row for each position."""
    variants = {
        variant: {
            "draws": counts.orders,
            **asdict(counts.whole()),
            "positions": [asdict(counts.of_position(i)) for i in range(counts.highest)],
            "counts": counts.counts,
        }
        for variant, counts in sorted(found.counts.items())
    }
    return json.dumps({"variants": variants, "faults": found.faults})


def is_random(found: Draws, significance: float) -> bool:
    """Whether every proof holds, and the draws are as even as chance makes them, together and at
    each position."""
    return not found.faults and all(
        counts.whole().p >= significance
        and all(
            counts.of_position(index).p * counts.highest >= significance
            for index in range(counts.highest)
        )
        for counts in found.counts.values()
    )
