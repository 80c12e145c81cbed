"""The store's clock as a server estimates it."""

from hypothesis import given
from hypothesis import strategies as st

from server.runtime.clock import StoreClock

AHEAD_MS = 3_600_000.0
"""How much the store's clock is ahead of the monotonic one."""


class Time:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def answer(self, clock: StoreClock, there_ms: float, back_ms: float) -> None:
        """The store is asked for its time, which takes so long there and back."""
        sent_ms = clock.monotonic_ms()
        self.seconds += there_ms / 1000
        store_ms = clock.monotonic_ms() + AHEAD_MS
        self.seconds += back_ms / 1000
        clock.observe(store_ms, sent_ms, clock.monotonic_ms())


def error_ms(clock: StoreClock) -> float:
    """How far the estimate is off."""
    return abs(clock.now_ms() - (clock.monotonic_ms() + AHEAD_MS))


def test_the_first_answer_counts_whatever_the_wall_clock_shows() -> None:
    time = Time()
    clock = StoreClock(time)
    time.answer(clock, 1, 1)
    assert error_ms(clock) <= 1


def test_a_slow_answer_does_not_spoil_the_estimate() -> None:
    time = Time()
    clock = StoreClock(time)
    time.answer(clock, 1, 1)
    time.answer(clock, 0, 5000)
    assert error_ms(clock) <= 1


def test_time_goes_on_between_answers() -> None:
    time = Time()
    clock = StoreClock(time)
    time.answer(clock, 0, 0)
    before_s = clock.now_s()
    time.seconds += 60
    assert abs(clock.now_s() - before_s - 60) < 0.001


@given(st.lists(st.tuples(st.floats(0, 2000), st.floats(0, 2000)), min_size=1, max_size=20))
def test_the_error_is_within_the_fastest_answer(trips: list[tuple[float, float]]) -> None:
    time = Time()
    clock = StoreClock(time)
    for there_ms, back_ms in trips:
        time.answer(clock, there_ms, back_ms)
    assert error_ms(clock) <= min(there + back for there, back in trips) + 0.01
