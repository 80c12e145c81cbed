"""A payout as operators see it, on the command line and over HTTP alike."""

from typing import TYPE_CHECKING, Any

from server.rules.coins import coins_text

if TYPE_CHECKING:  # without the extra `books` it cannot be imported
    from server.books.payouts import Payout


def payout_fields(payout: "Payout") -> dict[str, Any]:
    """How far a payout is: the fields of `PayoutView`, by the names that analysts know too. An
    amount that is no whole number is a text, which no reader of JSON rounds."""
    updated_at = payout.updated_at
    return {
        "payout_id": payout.payout_id,
        "entry_id": payout.entry_id,
        "alien_id": payout.alien_id,
        "amount": payout.amount if isinstance(payout.amount, int) else coins_text(payout.amount),
        "status": payout.standing.status,
        "reference": payout.standing.reference,
        "attempts": payout.attempts,
        "updated_at": None if updated_at is None else updated_at.isoformat(),
        "reason": payout.standing.reason,
        "approved_by": list(payout.approved_by),
    }
