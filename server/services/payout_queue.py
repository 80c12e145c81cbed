"""The queue of payouts, as the worker sees it: what is to be done now, and what it came to."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import structlog

from server.books import payout_control
from server.books import payouts as rows
from server.books.engine import Books, BooksConnection
from server.books.payouts import Change, Payout
from server.rules.coins import Coins, coins_text
from server.rules.payouts import (
    REFUSALS_IN_A_ROW,
    Answer,
    Declined,
    Next,
    Paid,
    Pause,
    Step,
    answered,
    begin,
    noted,
)
from server.services.payout_terms import PayoutTerms
from server.services.settling import Settling, owed_entry

LEASE_SECONDS: Final = 5.0
"""Beyond the longest answer: so long has a worker to send what it took and to note what was
answered. Then another one looks at it."""
_NOT_NOTED_SECONDS: Final = 2.0
_PARTS: Final = 2**20

log = structlog.get_logger(__name__)


class Taken(NamedTuple):
    """What is to be done with a payout now, which is this worker's for the time of its lease."""

    step: Step
    payout: Payout


@dataclass(frozen=True, slots=True)
class PayoutAnswer:
    """What the service answered about a payout."""

    payout: Payout
    step: Step
    answer: Answer


class PayoutQueue:
    """The payouts in `books`; `settling` settles them. The service's longest answer
    takes `timeout_seconds`."""

    def __init__(
        self,
        books: Books,
        settling: Settling,
        terms: PayoutTerms,
        timeout_seconds: float,
    ) -> None:
        self._books = books
        self._settling = settling
        self._terms = terms
        self._lease_seconds = timeout_seconds + LEASE_SECONDS
        self._refused_in_a_row = 0

    # Taking

    async def take(self, most: int) -> Sequence[Taken]:
        """Take at most so many payouts on; what is about to be done with each is stored. What may
        have been sent is looked up although payouts pause: that pays nothing.

        Raises BooksUnavailable and StoreUnavailable.
        """
        limit = self._terms.limit_coins_per_hour
        async with self._books.begin() as connection:
            control = await payout_control.lock_control(connection, alone=limit is not None)
            self._refused_in_a_row = control.refused_in_a_row
            may_send = control.paused is None
            waiting = await rows.take_waiting(connection, most, may_send=may_send)
            due = [payout for payout in waiting if payout.standing.status == "due"]
            taken = [self._begun(payout) for payout in waiting if payout not in due]
            by_hand = await self._settling.settled(connection, [owed_entry(p) for p in due])
            kept = [self._kept_back(payout, by_hand.get(payout.entry_id)) for payout in due]
            free = [payout for payout, change in zip(due, kept, strict=True) if change is None]
            if limit is not None:
                free = await self._within(connection, free, limit)
            taken += map(self._begun, free)
            claims = [
                Change(payout, self._lease_seconds, is_claim=step != "settle")
                for step, payout in taken
            ]
            await rows.write(connection, [*filter(None, kept), *claims])
        return [
            Taken(step, replace(payout, attempts=payout.attempts + (step != "settle")))
            for step, payout in taken
        ]

    def _kept_back(self, payout: Payout, by_hand: str | None) -> Change | None:
        """What becomes of one that is due and not to be sent; None: it is to be sent. `by_hand`:
        the reference with which somebody has settled it."""
        if by_hand is None:
            return self._terms.kept_back(payout)
        settled = noted(replace(payout.standing, reference=by_hand))
        return Change(replace(payout, standing=settled, by_hand=True), None)

    async def _within(
        self, connection: BooksConnection, payouts: Sequence[Payout], limit: Coins
    ) -> list[Payout]:
        """Those of the payouts that may be sent within the limit of an hour; if not all of them,
        payouts pause. What is sent again counts once within the hour, and later anew."""
        spent = await payout_control.sent_within_an_hour(connection)
        counted = await payout_control.counted_still(connection, [p.payout_id for p in payouts])
        within: list[Payout] = []
        new: dict[str, Coins] = {}
        for payout in payouts:
            coins = 0 if payout.payout_id in counted else payout.amount
            if spent + sum(new.values()) + coins > limit:
                problem = f"{coins_text(limit)} coins an hour would be passed"
                await self._pause(connection, "limit", problem)
                break
            if coins:
                new[payout.payout_id] = coins
            within.append(payout)
        if new:
            await payout_control.count_sent(connection, [*new], sum(new.values()))
        return within

    def _begun(self, payout: Payout) -> Taken:
        step, standing = begin(payout.standing)
        body = self._terms.order(payout) if step == "send" and payout.body is None else payout.body
        return Taken(step, replace(payout, standing=standing, body=body))

    # Noting

    async def note(self, answers: Sequence[PayoutAnswer]) -> None:
        """Note what the service said: what it paid is settled in the ledger, once. What the store
        does not take now is noted as paid, and settled later.

        Raises BooksUnavailable; then it may come again.
        """
        after = [
            (one, answered(one.payout.standing, one.step, one.answer, _jitter())) for one in answers
        ]
        paid = [
            (owed_entry(one.payout), follows.standing.reference or "")
            for one, follows in after
            if isinstance(one.answer, Paid)
        ]
        async with self._books.begin() as connection:
            settled = await self._settling.settle(connection, paid) if paid else {}
            pauses = [(one, follows.pause) for one, follows in after if follows.pause is not None]
            if pauses or self._refused_in_a_row or any(map(_is_declined, answers)):
                await self._brake(connection, answers, pauses)
            changes = [
                _noted(one.payout, follows, settled.get(one.payout.entry_id))
                if isinstance(one.answer, Paid)
                else _answered(one.payout, follows)
                for one, follows in after
            ]
            await rows.write(connection, changes)
        for change in changes:
            standing = change.payout.standing
            log.info(
                "payout_" + ("settled" if standing.status == "settled" else "answered"),
                payout_id=change.payout.payout_id,
                status=standing.status,
                reference=standing.reference,
                reason=standing.reason,
            )

    async def _brake(
        self,
        connection: BooksConnection,
        answers: Sequence[PayoutAnswer],
        pauses: Sequence[tuple[PayoutAnswer, Pause]],
    ) -> None:
        control = await payout_control.lock_control(connection, alone=True)
        in_a_row = control.refused_in_a_row
        pause: tuple[Pause, str] | None = None
        for one, reason in pauses:
            pause = reason, getattr(one.answer, "problem", "")
        for one in answers:
            if isinstance(one.answer, Paid):
                in_a_row = 0
            elif isinstance(one.answer, Declined):
                in_a_row += 1
                if in_a_row >= REFUSALS_IN_A_ROW:
                    pause = pause or ("refusals", f"{in_a_row} in a row: {one.answer.reason}")
        await payout_control.count_refusals(connection, in_a_row)
        self._refused_in_a_row = in_a_row
        if pause is not None and control.paused is None:
            await self._pause(connection, *pause)

    async def _pause(self, connection: BooksConnection, pause: Pause, problem: str) -> None:
        log.error("payouts_paused", reason=pause, problem=problem)
        await payout_control.set_paused(connection, pause, None, problem)


def _answered(payout: Payout, follows: Next) -> Change:
    answer = replace(payout, standing=follows.standing)
    return Change(answer, follows.in_seconds, asked_as=payout.status)


def _noted(payout: Payout, follows: Next, settled: str | None) -> Change:
    """A payout that was paid, as it is when the ledger has it settled with that reference."""
    paid = follows.standing
    if settled is None:
        return Change(replace(payout, standing=paid), _NOT_NOTED_SECONDS)
    if settled != paid.reference:
        log.error(
            "payout_settled_twice",
            payout_id=payout.payout_id,
            reference=paid.reference,
            settled_with=settled,
        )
    return Change(replace(payout, standing=noted(paid), by_hand=False), None)


def _is_declined(one: PayoutAnswer) -> bool:
    return isinstance(one.answer, Declined)


def _jitter() -> float:
    return secrets.randbelow(_PARTS) / _PARTS
