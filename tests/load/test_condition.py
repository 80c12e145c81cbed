"""Conditions that end a run with exit code 1."""

import pytest

from server.load.condition import Condition
from server.load.figures import figure_names

KNOWN = ["push_p99_ms", "missed"]


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("push_p99_ms>100", 100, False),
        ("push_p99_ms>100", 100.1, True),
        ("push_p99_ms >= 100", 100, True),
        ("push_p99_ms<0.5", 0.4, True),
        ("push_p99_ms<0.5", 0.5, False),
        ("push_p99_ms<=0.5", 0.5, True),
    ],
)
def test_a_figure_is_compared_with_the_limit(text: str, value: float, *, holds: bool) -> None:
    assert Condition.parse(text, KNOWN).holds({"push_p99_ms": value}) is holds


def test_a_figure_that_was_not_measured_keeps_no_limit() -> None:
    assert Condition.parse("push_p99_ms>100", KNOWN).holds({"push_p99_ms": None})


@pytest.mark.parametrize(
    "text", ["", "missed", "missed>", ">0", "missed=0", "missed>x", "missed>0 or 1", "lost>0"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not like|there is no figure"):
        Condition.parse(text, KNOWN)


def test_every_figure_of_a_report_may_be_named() -> None:
    known = figure_names()

    assert [str(Condition.parse(f"{name}>1", known)) for name in known] == [
        f"{name}>1" for name in known
    ]
