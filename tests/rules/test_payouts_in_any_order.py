"""No order of answers and crashes pays a payout twice, forgets it, or leaves it in doubt without a
next look."""

from hypothesis import given
from hypothesis import strategies as st

from server.rules.payouts import (
    WAITING,
    Answer,
    Declined,
    NeverArrived,
    NotAdmitted,
    Paid,
    Pending,
    Standing,
    Step,
    Unclear,
    answered,
    begin,
    noted,
    refused,
    retried,
)


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
