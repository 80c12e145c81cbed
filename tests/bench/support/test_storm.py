from typing import Any

import pytest

from tests.bench.support.storm import Storm

CALM = {"sockets": 100, "enter_max_ms": 20, "jitter_max_ms": 5, "late_max_ms": 9}


def report(*seconds: dict[str, Any], missed: int = 0) -> dict[str, Any]:
    """Of players who were disconnected at the end of the second second."""
    early, late = CALM | {"jitter_max_ms": 5_000}, CALM | {"late_max_ms": 9_999}
    series = [early, CALM, *seconds, CALM, CALM, late]
    return {"series": series, "figures": {"missed": missed}}


def test_a_storm_is_measured_from_its_begin_until_all_are_back() -> None:
    away = {"sockets": 0, "jitter_max_ms": 400}
    joining = {"sockets": 99, "enter_max_ms": 700, "late_max_ms": 900}
    storm = Storm.of(report(away, joining), 2, 100)
    assert storm == Storm(3.7, 400, 900, 0)
    assert storm.was_held
    assert "held: joined again all within 3.7 s" in str(storm)


@pytest.mark.parametrize(
    ("seconds", "missed"),
    [
        ([{"sockets": 99}] * 10, 0),
        ([{"sockets": 99, "jitter_max_ms": 1_001}], 0),
        ([{"sockets": 99, "late_max_ms": 1_001}], 0),
        ([{"sockets": 99}], 1),
    ],
)
def test_a_storm_that_hurts_more_than_it_may_is_not_held(
    seconds: list[dict[str, Any]], missed: int
) -> None:
    storm = Storm.of(report(*seconds, missed=missed), 2, 100)
    assert not storm.was_held
    assert "NOT HELD" in str(storm)


def test_a_storm_in_which_nobody_heard_a_call_tells_nothing() -> None:
    quiet = {"sockets": 100, "enter_max_ms": 20}
    storm = Storm.of({"series": [quiet] * 4, "figures": {"missed": 0}}, 2, 100)
    assert storm.back_seconds == 1.0
    assert not storm.was_held


def test_players_who_never_come_back_are_not_back() -> None:
    gone = {"series": [CALM, {"sockets": 99}], "figures": {"missed": 0}}
    assert Storm.of(gone, 1, 100).back_seconds is None
    assert not Storm.of(gone, 1, 100).was_held
