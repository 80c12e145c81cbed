"""How a payout goes on: what each answer means in each state, and what operators may do then."""

from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.rules.payouts import (
    APPROVALS,
    IN_DOUBT,
    LEAST_SECONDS,
    MOST_RETRY_AFTER_SECONDS,
    MOST_SECONDS,
    STATUSES,
    WAITING,
    Answer,
    Declined,
    NeverArrived,
    NotAdmitted,
    Paid,
    Pending,
    Standing,
    Status,
    Step,
    Unclear,
    answered,
    approved,
    approvers,
    begin,
    noted,
    refused,
    retried,
)

SENDING = Standing("sending", in_doubt=True, tries=1)
SENT = Standing("sent", in_doubt=True, tries=3)
UNKNOWN = Standing("unknown", in_doubt=True, tries=3)
DENIED = Standing("refused", in_doubt=True, tries=3, reason="fraud (ann)")
"""An operator refused it while it was in doubt."""

# what is done, how it stands meanwhile, the answer: what it is then, whether something follows by
# itself, whether it may have been paid, whether all pause
TABLE: tuple[tuple[Step, Standing, Answer, Status, bool, bool, bool], ...] = (
    ("send", SENDING, Paid("r"), "sent", True, True, False),
    ("send", SENDING, Pending(), "sent", True, True, False),
    ("send", SENDING, Declined("no"), "refused", False, False, False),
    ("send", SENDING, Unclear("?"), "unknown", True, True, False),
    ("send", SENDING, NotAdmitted("401"), "unknown", True, True, True),
    ("look", UNKNOWN, Paid("r"), "sent", True, True, False),
    ("look", UNKNOWN, Pending(), "sent", True, True, False),
    ("look", UNKNOWN, Declined("no"), "refused", False, False, False),
    ("look", UNKNOWN, Declined("400", final=False), "refused", False, True, False),
    ("look", UNKNOWN, NeverArrived(), "due", True, False, False),
    ("look", UNKNOWN, Unclear("?"), "unknown", True, True, False),
    ("look", UNKNOWN, NotAdmitted("403"), "unknown", True, True, True),
    ("look", SENT, Paid("r"), "sent", True, True, False),
    ("look", SENT, Pending(), "sent", True, True, False),
    ("look", SENT, Declined("no"), "refused", False, False, False),
    ("look", SENT, Declined("400", final=False), "refused", False, True, False),
    ("look", SENT, NeverArrived(), "due", True, False, False),
    ("look", SENT, Unclear("?"), "unknown", True, True, False),
    ("look", SENT, NotAdmitted("403"), "unknown", True, True, True),
    ("look", DENIED, Paid("r"), "sent", True, True, False),
    ("look", DENIED, Pending(), "sent", True, True, False),
    ("look", DENIED, Declined("no"), "refused", False, False, False),
    ("look", DENIED, Declined("400", final=False), "refused", False, True, False),
    ("look", DENIED, NeverArrived(), "refused", False, False, False),
    ("look", DENIED, Unclear("?"), "refused", True, True, False),
    ("look", DENIED, NotAdmitted("403"), "refused", True, True, True),
)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]}-{row[1].status}-{row[2]}")
def test_what_each_answer_means(
    row: tuple[Step, Standing, Answer, Status, bool, bool, bool],
) -> None:
    step, standing, answer, status, goes_on, in_doubt, pauses = row
    after = answered(standing, step, answer, 0.5)
    assert after.standing.status == status
    assert after.standing.in_doubt == in_doubt
    assert (after.in_seconds is not None) == goes_on
    assert (after.pause is not None) == pauses
    if isinstance(answer, Paid):
        assert begin(after.standing)[0] == "settle"
        assert noted(after.standing).status == "settled"


def test_the_table_has_each_answer_in_each_state_in_which_one_is_awaited() -> None:
    awaited = {
        (step, meanwhile.status)
        for step, meanwhile in map(begin, (*map(Standing, WAITING), DENIED))
    }
    kinds = {type(answer) for *_, answer, _status, _on, _doubt, _pauses in TABLE}
    assert kinds == set(get_args(Answer))
    # Only a look-up says that it never arrived.
    wanted = {(*at, kind) for at in awaited for kind in kinds}
    wanted -= {("send", "sending", NeverArrived)}
    assert {(step, at.status, type(answer)) for step, at, answer, *_ in TABLE} == wanted


def test_nobody_approves_twice_by_another_spelling() -> None:
    assert approvers((), "Ann") == ("Ann",)
    assert approvers(("Ann",), "aNN") == ("Ann",)
    assert approvers(("Ann",), "bob") == ("Ann", "bob")


def test_what_is_in_doubt_is_looked_up_and_only_what_is_due_is_sent() -> None:
    steps: Mapping[Status, Step] = {
        "due": "send",
        "sending": "look",
        "sent": "look",
        "unknown": "look",
    }
    for status in STATUSES:
        standing = Standing(status, in_doubt=status in IN_DOUBT)
        if status not in WAITING:
            with pytest.raises(ValueError, match=status):
                begin(standing)
            continue
        step, meanwhile = begin(standing)
        assert step == steps[status]
        assert meanwhile.in_doubt
        assert meanwhile.tries == standing.tries + 1
    assert begin(DENIED) == ("look", replace(DENIED, tries=DENIED.tries + 1))


def test_what_an_operator_may_do() -> None:
    for status in STATUSES:
        standing = Standing(status, in_doubt=status in IN_DOUBT)
        assert isinstance(retried(standing), str) == (status in ("settled", "held", "sending"))
        denied = refused(standing, "fraud")
        assert isinstance(denied, str) == (status in ("settled", "refused", "sending", "sent"))
        assert isinstance(approved(standing, APPROVALS), str) == (status != "held")
    assert approved(Standing("held"), APPROVALS - 1) == Standing("held")
    assert approved(Standing("held"), APPROVALS) == Standing("due")
    denied = refused(UNKNOWN, "fraud (ann)")
    assert denied == DENIED
    again = retried(denied)
    assert isinstance(again, Standing)
    assert begin(again)[0] == "look"


answers = st.one_of(
    st.just(Paid("r")),
    st.builds(Pending, st.none() | st.floats(0, 10**9)),
    st.builds(Declined, st.just("no"), st.booleans()),
    st.builds(NotAdmitted, st.just("401"), st.none() | st.floats(0, 10**9)),
    st.builds(Unclear, st.just("?"), st.none() | st.floats(0, 10**9)),
)


@given(st.integers(0, 10**6), st.floats(0, 1), answers)
def test_what_is_tried_again_is_so_within_an_hour_and_not_within_a_second(
    tries: int, jitter: float, answer: Answer
) -> None:
    after = answered(replace(UNKNOWN, tries=tries), "look", answer, jitter)
    if after.in_seconds is None or isinstance(answer, Paid):
        return
    asked_seconds = getattr(answer, "retry_after_seconds", None)
    if asked_seconds is None:
        assert LEAST_SECONDS <= after.in_seconds <= MOST_SECONDS
    else:
        assert after.in_seconds >= min(asked_seconds, MOST_RETRY_AFTER_SECONDS)
        assert LEAST_SECONDS <= after.in_seconds <= MOST_RETRY_AFTER_SECONDS + LEAST_SECONDS


def test_the_time_between_two_tries_grows_and_begins_anew_when_the_service_has_it() -> None:
    waits = [
        answered(replace(UNKNOWN, tries=n), "look", Unclear("?"), 1).in_seconds or 0
        for n in range(1, 20)
    ]
    assert waits == sorted(waits)
    assert waits[0] == 2
    assert waits[-1] == MOST_SECONDS
    pending = answered(replace(UNKNOWN, tries=15), "look", Pending(), 1)
    assert pending.in_seconds == 2
