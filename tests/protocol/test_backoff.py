"""Those whom one fault has hit do not all come back at the same instant."""

from protocol.backoff import FIRST_SECONDS, MOST_SECONDS, Backoff

CROWD = 5000


def waits(attempts: int) -> list[list[float]]:
    """How long each of a crowd waits before each attempt."""
    crowd = [Backoff() for _ in range(CROWD)]
    return [[backoff.next_seconds() for backoff in crowd] for _ in range(attempts)]


def test_a_crowd_spreads_evenly_over_the_whole_time_from_the_first_attempt_on() -> None:
    (first,) = waits(1)
    for tenth in range(10):
        low, high = tenth * FIRST_SECONDS / 10, (tenth + 1) * FIRST_SECONDS / 10
        share = sum(low <= seconds < high for seconds in first) / CROWD
        assert 0.05 < share < 0.15  # ten standard deviations


def test_the_time_doubles_up_to_a_limit() -> None:
    for attempt, of_crowd in enumerate(waits(20)):
        limit = min(MOST_SECONDS, FIRST_SECONDS * 2**attempt)
        assert 0.9 * limit < max(of_crowd) < limit


def test_after_a_success_it_begins_anew() -> None:
    backoff = Backoff()
    for _ in range(10):
        backoff.next_seconds()
    backoff.reset()
    assert backoff.next_seconds() < FIRST_SECONDS
