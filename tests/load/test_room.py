"""What the load tool notices about the events of a room."""

from typing import Any

import pytest

from server.load.call_schedule import CallSchedule
from server.load.meter import Meter
from server.load.room import RoomMeter
from server.load.stats import IntervalStats


def received(*messages: tuple[str, dict[str, Any]]) -> IntervalStats:
    """What is measured when these messages are received, one after the other."""
    meter = Meter()
    room = RoomMeter(meter, CallSchedule(interval_ms=100))
    for name, message in messages:
        room.receive(name, message)
    return meter.take()


def state(seq: int, status: str = "forming") -> tuple[str, dict[str, Any]]:
    return "lobby_state", {"seq": seq, "at": 0.0, "status": status}


def event(seq: int, at: float = 0.0) -> tuple[str, dict[str, Any]]:
    return "player_ready", {"seq": seq, "at": at}


def call(seq: int, index: int, at: float) -> tuple[str, dict[str, Any]]:
    return "number_called", {"seq": seq, "at": at, "index": index, "number": 1}


@pytest.mark.parametrize(
    ("messages", "missed", "duplicates"),
    [
        ([state(3), event(4), event(5)], 0, 0),
        ([event(1), event(2)], 0, 0),
        ([state(3), event(5)], 1, 0),
        ([state(3), event(4), event(8), event(9)], 3, 0),
        ([state(3), event(4), event(4)], 0, 1),
        ([state(3), event(3)], 0, 1),
        ([state(3), event(5), event(4)], 1, 1),
        ([state(3), event(4), state(4), event(5)], 0, 0),
        ([state(3), event(4), state(7)], 3, 0),
    ],
)
def test_gaps_and_repetitions_are_counted(
    messages: list[tuple[str, dict[str, Any]]], missed: int, duplicates: int
) -> None:
    counts = received(*messages).counts

    assert (counts["missed"], counts["duplicates"]) == (missed, duplicates)


def test_what_happened_before_the_room_was_entered_is_no_push() -> None:
    meter = Meter()
    room = RoomMeter(meter, CallSchedule(interval_ms=100))
    room.auth("a token")

    room.receive(*event(1, at=meter.now_ms() - 60_000))
    room.receive(*event(2, at=meter.now_ms() + 60_000))

    stats = meter.take()
    assert stats.counts["events"] == 2
    assert stats.latencies["push"].percentile_ms(100) == 0


def test_who_comes_back_asks_for_what_follows_the_last_event() -> None:
    room = RoomMeter(Meter(), CallSchedule(interval_ms=100))

    first = room.auth("a token")
    room.receive(*state(3))
    room.receive(*event(4))

    assert first == {"token": "a token"}
    assert room.auth("a token") == {"token": "a token", "last_seq": 4}


def test_the_end_of_the_game_is_the_end_of_the_room() -> None:
    room = RoomMeter(Meter(), CallSchedule(interval_ms=100))
    room.receive(*state(3))
    before = room.is_over

    room.receive("game_finished", {"seq": 4, "at": 0.0})

    assert (before, room.is_over) == (False, True)


def test_calls_are_measured_against_the_schedule_from_the_start() -> None:
    start = ("status_changed", {"seq": 1, "at": 1000.0, "status": "active", "deadline": None})

    stats = received(start, call(2, 1, 1107.0), call(3, 2, 1202.0))

    assert stats.latencies["jitter"].max_ms == pytest.approx(7)
    assert stats.latencies["jitter"].percentile_ms(50) == pytest.approx(2, rel=0.01)
