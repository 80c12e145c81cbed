"""What services answer, as sockets and HTTP put it."""

from protocol.to_client import ClaimFalse, ClaimWon
from server.services.play import Kicked, Won


def claim_answer(outcome: Won | Kicked) -> ClaimWon | ClaimFalse:
    """The answer to a claim that was judged."""
    if isinstance(outcome, Won):
        return ClaimWon(
            pattern=outcome.pattern, pot=outcome.pot, message="Bingo! The pot is yours."
        )
    return ClaimFalse(
        missing_numbers=list(outcome.missing_numbers),
        message="No pattern is complete: you are out of this game.",
    )
