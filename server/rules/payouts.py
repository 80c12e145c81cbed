"""How a debt is paid by somebody else's service: what is done next, and what each answer means.

The service may answer late, half, twice, or not at all, and we may die at any instant. So what was
sent and not answered is in doubt, and what is in doubt is looked up and never simply sent again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, assert_never, get_args

Status = Literal["due", "sending", "sent", "settled", "refused", "held", "unknown"]
"""`due`: to be sent. `sending`: it is being sent, or whoever did so died. `sent`: the service has
it, and has not paid it yet or we have not noted it. `unknown`: nobody knows whether it has it.
`held`: waits for operators' approval. `refused`: waits for an operator; if it was one who refused
what may have been sent before, it is looked up all the same."""
STATUSES: Final[tuple[Status, ...]] = get_args(Status)
WAITING: Final[tuple[Status, ...]] = ("due", "sending", "sent", "unknown")
"""Those of which something is done without an operator."""
IN_DOUBT: Final[tuple[Status, ...]] = ("sending", "sent", "unknown")

Step = Literal["send", "look", "settle"]
Pause = Literal["operator", "limit", "not_admitted", "refusals"]
"""Why payouts pause: an operator said so, the limit of an hour, the service does not let us in, it
refuses everything."""
PAUSES: Final[tuple[Pause, ...]] = get_args(Pause)

LEAST_SECONDS: Final = 1.0
MOST_SECONDS: Final = 3600.0
MOST_RETRY_AFTER_SECONDS: Final = 86400.0
"""A service that asks for more would have a debt forgotten."""
APPROVALS: Final = 2
REFUSALS_IN_A_ROW: Final = 10
"""So many without a payment between them are no longer about single payments."""
_DOUBLINGS: Final = 12


@dataclass(frozen=True, slots=True)
class Paid:
    """It was paid, by the transaction `reference`."""

    reference: str


@dataclass(frozen=True, slots=True)
class Pending:
    """The service has it and will pay it."""

    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Declined:
    """The service will not pay it. `final`: by its own word; else by a status of HTTP, which to a
    look-up says nothing of what was sent before."""

    reason: str
    final: bool = True


@dataclass(frozen=True, slots=True)
class NeverArrived:
    """The answer to a look-up: the service does not know it."""


@dataclass(frozen=True, slots=True)
class NotAdmitted:
    """The service does not know us, or is not there."""

    problem: str
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Unclear:
    """No answer, or none that says what became of it."""

    problem: str
    retry_after_seconds: float | None = None


Answer = Paid | Pending | Declined | NeverArrived | NotAdmitted | Unclear


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a payout stands. `in_doubt`: it was sent, and may have been paid. `tries`: how often
    the service was asked since there was something new. `reference`: it was paid by that
    transaction."""

    status: Status = "due"
    in_doubt: bool = False
    tries: int = 0
    reference: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Next:
    """What follows on an answer: how it stands, in how many seconds something is to be done (None:
    nothing is), and whether all payouts pause."""

    standing: Standing
    in_seconds: float | None
    pause: Pause | None = None


def begin(standing: Standing) -> tuple[Step, Standing]:
    """What is to be done with one that waits for no operator, and how it stands while that is done.
    It has to be stored before it is done."""
    if standing.reference is not None:
        return "settle", standing
    trying = replace(standing, tries=standing.tries + 1)
    match standing.status:
        case "due":
            return "send", replace(trying, status="sending", in_doubt=True, reason=None)
        case "sending":  # whoever sent it died
            return "look", replace(trying, status="unknown")
        case "sent" | "unknown":
            return "look", trying
        case "refused" if standing.in_doubt:  # by an operator
            return "look", trying
        case "settled" | "refused" | "held":
            raise ValueError(f"nothing is to be done with one that is {standing.status}")
    assert_never(standing.status)


def answered(standing: Standing, step: Step, answer: Answer, jitter: float) -> Next:
    """What an answer means for a payout that stands so since that step began. `jitter` is a random
    number from 0 to 1. That nobody knows, or that it never arrived, does not undo what an operator
    refused."""
    is_refused = standing.status == "refused"
    again_seconds = _again_seconds(standing, answer, jitter)
    match answer:
        case Paid(reference):
            return Next(replace(standing, status="sent", reference=reference, reason=None), 0)
        case Pending():
            is_news = standing.status != "sent"
            tries = 1 if is_news else standing.tries
            pending = replace(standing, status="sent", tries=tries, reason=None)
            return Next(pending, _again_seconds(pending, answer, jitter))
        case Declined(reason, final):
            in_doubt = step == "look" and not final
            return Next(replace(standing, status="refused", in_doubt=in_doubt, reason=reason), None)
        case NeverArrived() if is_refused:
            return Next(replace(standing, in_doubt=False), None)
        case NeverArrived():
            return Next(replace(standing, status="due", in_doubt=False, reason=None), 0)
        case NotAdmitted(problem) | Unclear(problem):
            unknown = replace(standing, status="unknown", reason=problem)
            pause: Pause | None = "not_admitted" if isinstance(answer, NotAdmitted) else None
            return Next(standing if is_refused else unknown, again_seconds, pause)
    assert_never(answer)


def noted(standing: Standing) -> Standing:
    """It stands in the ledger as settled."""
    return replace(standing, status="settled", in_doubt=False, reason=None)


def retried(standing: Standing) -> Standing | str:
    """An operator wants it tried now; or why that cannot be. What may have been paid is looked up
    first."""
    match standing.status:
        case "settled":
            return "it is settled"
        case "held":
            return "it waits for approval"
        case "refused":
            status: Status = "unknown" if standing.in_doubt else "due"
            return replace(standing, status=status, tries=0, reason=None)
        case "sending":
            return "it is being sent"
        case "due" | "sent" | "unknown":
            return replace(standing, tries=0)
    assert_never(standing.status)


def refused(standing: Standing, reason: str) -> Standing | str:
    """An operator does not want it paid; or why that cannot be. What may have been paid stays in
    doubt, and is looked up until that is known."""
    match standing.status:
        case "settled":
            return "it is settled"
        case "refused":
            return "it is refused already"
        case "sending" | "sent":
            return "it was sent: wait for what the service says"
        case "due" | "held" | "unknown":
            return replace(standing, status="refused", reason=reason)
    assert_never(standing.status)


def approvers(names: Sequence[str], by: str) -> tuple[str, ...]:
    """Who approves when `by` does too: nobody becomes two by writing their name another way."""
    known = {name.casefold() for name in names}
    return tuple(names) if by.casefold() in known else (*names, by)


def approved(standing: Standing, approvals: int) -> Standing | str:
    """So many operators approve of it by now; or why that cannot be."""
    if standing.status != "held":
        return f"it is {standing.status}, and waits for no approval"
    return replace(standing, status="due") if approvals >= APPROVALS else standing


def _again_seconds(standing: Standing, answer: Answer, jitter: float) -> float:
    asked_seconds: float | None = getattr(answer, "retry_after_seconds", None)
    if asked_seconds is not None:
        # Those who are asked to wait equally long do not retry at the same instant.
        seconds = min(max(asked_seconds, LEAST_SECONDS), MOST_RETRY_AFTER_SECONDS)
        return seconds + jitter * LEAST_SECONDS
    doubled = LEAST_SECONDS * (1 << min(max(standing.tries, 1), _DOUBLINGS))
    longest = min(doubled, MOST_SECONDS)
    return longest / 2 + jitter * longest / 2
