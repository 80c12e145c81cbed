"""How a payout goes on: what each answer means in each state, and that no order of answers and
crashes pays twice, forgets one, or leaves one in doubt without a next look."""

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


class Model:
    """One debt, what the books and the ledger have of it, and a payment service that pays each key
    once, whatever it answers. What it took it pays some time."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.stored = Standing()
        self.in_seconds: float | None = 0
        self.ledger: list[str] = []
        self.taken = self.paid = self.refuses = False
        self.payments = 0
        self.unanswered = False
        """Something was sent of which no answer said what became of it."""

    def may(self, what: str) -> bool:
        """Whether it happens, this time."""
        return self.data.draw(st.booleans(), label=what)

    def go_on(self) -> None:
        """One step of a worker, who may die at any point of it, or of an operator."""
        if self.stored.status == "refused" and self.may("an operator has it tried again"):
            self.retry()
        if self.may("an operator refuses it"):
            self.refuse()
        if self.in_seconds is None:
            assert self.stored.status not in WAITING, "nobody looks at it any more"
            return
        step, self.stored = begin(self.stored)
        self.in_seconds = 1  # its lease
        if step == "settle":
            self.settle()
        elif not self.may("dies before it asks"):
            answer = self.ask(step)
            if not self.may("dies before it is noted"):
                self.receive(step, answer)

    def retry(self) -> None:
        again = retried(self.stored)
        assert isinstance(again, Standing)
        self.stored, self.in_seconds = again, 0

    def refuse(self) -> None:
        denied = refused(self.stored, "fraud")
        if isinstance(denied, Standing):
            self.stored, self.in_seconds = denied, 0 if self.stored.in_doubt else None

    def settle(self) -> None:
        self.ledger = self.ledger or [self.stored.reference or ""]
        if not self.may("dies before it is noted"):
            self.stored, self.in_seconds = noted(self.stored), None

    def ask(self, step: Step) -> Answer:
        if step == "send":
            assert not self.unanswered, "sent again without a look that said it never arrived"
            self.unanswered = True
            if self.may("it arrives"):
                self.refuses = self.may("it is refused")
                self.taken = self.taken or not self.refuses
        if self.may("it is paid now"):
            self.pay()
        if self.may("it answers"):
            return self.answer(step)
        wrong: list[Answer] = [Unclear("?", 1.0), NotAdmitted("401")]
        return self.data.draw(st.sampled_from(wrong))

    def pay(self) -> None:
        if self.taken and not self.paid:
            self.paid, self.payments = True, self.payments + 1

    def answer(self, step: Step) -> Answer:
        if self.paid:
            return Paid("r")
        if self.taken:
            return Pending()
        if step == "look":
            return NeverArrived()
        return Declined("no") if self.refuses else Unclear("no answer")

    def receive(self, step: Step, answer: Answer) -> None:
        if isinstance(answer, (Declined, NeverArrived)):
            self.unanswered = False
        after = answered(self.stored, step, answer, 0)
        self.stored, self.in_seconds = after.standing, after.in_seconds
        assert self.stored.status not in WAITING or self.in_seconds is not None

    def recover(self) -> None:
        """From now on everything works."""
        for _ in range(10):
            if self.in_seconds is not None:
                step, self.stored = begin(self.stored)
                if step == "settle":
                    self.ledger = self.ledger or [self.stored.reference or ""]
                    self.stored, self.in_seconds = noted(self.stored), None
                    continue
                self.refuses, self.taken = False, self.taken or step == "send"
                self.pay()
                self.receive(step, self.answer(step))


@given(st.data())
def test_no_order_of_answers_and_crashes_pays_twice_forgets_one_or_leaves_one_in_doubt(
    data: st.DataObject,
) -> None:
    model = Model(data)
    for _ in range(data.draw(st.integers(1, 25))):
        model.go_on()
    assert model.payments <= 1
    model.recover()
    assert model.stored.status in ("settled", "refused")
    is_settled = model.stored.status == "settled"
    assert is_settled == (model.payments == 1) == (model.ledger == ["r"])
