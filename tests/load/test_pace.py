"""The rhythm of the calls."""

from server.load.pace import Pace


def test_calls_are_due_one_interval_apart_from_the_start() -> None:
    pace = Pace(interval_ms=100)
    pace.start(1000)

    assert [pace.called(1, 1104), pace.called(2, 1201), pace.called(3, 1300)] == [4, 1, 0]


def test_who_did_not_hear_the_start_takes_the_first_call_for_punctual() -> None:
    pace = Pace(interval_ms=100)

    assert [pace.called(4, 1000), pace.called(5, 1104), pace.called(6, 1201)] == [None, 4, 1]


def test_who_missed_some_calls_still_knows_when_the_next_was_due() -> None:
    pace = Pace(interval_ms=100)
    pace.called(5, 1000)

    assert pace.called(8, 1302) == 2


def test_a_call_that_others_heard_too_counts_once() -> None:
    pace = Pace(interval_ms=100)
    pace.called(1, 1000)

    assert [pace.called(2, 1104), pace.called(2, 1104)] == [4, None]


def test_a_call_that_is_an_interval_late_moves_the_next() -> None:
    pace = Pace(interval_ms=100)
    pace.called(1, 1000)

    assert [pace.called(2, 1250), pace.called(3, 1353)] == [150, 3]
