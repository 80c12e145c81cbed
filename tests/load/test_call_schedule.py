"""When the calls of a game are due, and how late they are."""

from server.load.call_schedule import CallSchedule


def test_calls_are_due_one_interval_apart_from_the_start() -> None:
    schedule = CallSchedule(interval_ms=100)
    schedule.start(1000)

    assert [schedule.called(1, 1104), schedule.called(2, 1201), schedule.called(3, 1300)] == [
        4,
        1,
        0,
    ]


def test_a_client_that_missed_the_start_takes_the_first_call_as_punctual() -> None:
    schedule = CallSchedule(interval_ms=100)

    assert [schedule.called(4, 1000), schedule.called(5, 1104), schedule.called(6, 1201)] == [
        None,
        4,
        1,
    ]


def test_who_missed_some_calls_still_knows_when_the_next_was_due() -> None:
    schedule = CallSchedule(interval_ms=100)
    schedule.called(5, 1000)

    assert schedule.called(8, 1302) == 2


def test_a_call_that_others_received_too_counts_once() -> None:
    schedule = CallSchedule(interval_ms=100)
    schedule.called(1, 1000)

    assert [schedule.called(2, 1104), schedule.called(2, 1104)] == [4, None]


def test_a_call_that_is_an_interval_late_moves_the_next() -> None:
    schedule = CallSchedule(interval_ms=100)
    schedule.called(1, 1000)

    assert [schedule.called(2, 1250), schedule.called(3, 1353)] == [150, 3]
