"""Reconciling: the provider's statement of what it paid, against what we have as paid."""

import csv
import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from protocol import strict_json
from server.rules.payouts import Status

COLUMNS: Final = ("payout_id", "amount", "reference")


class BadStatement(Exception):
    """The statement cannot be read. The text is one line for the operator."""


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One payment in the statement; `amount` in the token's smallest unit."""

    payout_id: str
    amount: int
    reference: str


class ReconciledPayout(Protocol):
    """A payout, as far as it takes to reconcile it."""

    @property
    def payout_id(self) -> str:
        """Its id."""

    @property
    def body(self) -> str | None:
        """What the service was sent."""

    @property
    def by_hand(self) -> bool:
        """Whether it was settled by hand."""

    @property
    def status(self) -> Status:
        """How far it is."""

    @property
    def reference(self) -> str | None:
        """What paid it."""


def read_statement(lines: Iterable[str]) -> list[StatementRow]:
    """The payments in a CSV file, whose first line names the columns. Raises BadStatement."""
    reader = csv.DictReader(lines, strict=True, restval="", skipinitialspace=True)
    try:
        names = reader.fieldnames or ()
        if missing := [name for name in COLUMNS if name not in names]:
            raise BadStatement(f"the statement has no column {', '.join(missing)}")
        return [_row(number, row) for number, row in enumerate(reader, 2)]
    except csv.Error as error:
        raise BadStatement(f"line {reader.line_num} is no CSV: {error}") from None


def _row(number: int, row: dict[str, str]) -> StatementRow:
    payout_id, amount, reference = (row[name].strip() for name in COLUMNS)
    if re.fullmatch("[0-9]{1,100}", amount) is None:
        raise BadStatement(f"line {number}: its amount is no number of the smallest unit")
    return StatementRow(payout_id, int(amount), reference)


async def differences(
    statement: Iterable[StatementRow], ours: AsyncIterator[ReconciledPayout]
) -> list[str]:
    """Every difference between what the provider says that it paid and what we have as paid, in
    words. What was settled by hand is not expected of the provider."""
    lines: dict[str, StatementRow] = {}
    found: list[str] = []
    for line in statement:
        name = _shown(line.payout_id)
        earlier = lines.setdefault(line.payout_id, line)
        if earlier is not line:
            found.append(
                f"{name}: it is in the statement twice, by {_shown(earlier.reference)} and by"
                f" {_shown(line.reference)}"
            )
    async for payout in ours:
        found += _compared(payout, lines.pop(payout.payout_id, None))
    found += [
        f"{_shown(name)}: it is in the statement, but we owe no such payout" for name in lines
    ]
    return found


def _compared(payout: ReconciledPayout, line: StatementRow | None) -> list[str]:
    name, is_ours = payout.payout_id, payout.status == "settled" and not payout.by_hand
    if line is None:
        missing = f"{name}: we have it paid by {payout.reference}, the statement does not have it"
        return [missing] if is_ours else []
    reference = _shown(line.reference)
    if payout.status == "settled" and payout.by_hand:
        by_hand = f"{name}: it was settled by hand with {payout.reference}"
        return [f"{by_hand}, and paid by {reference} too"]
    found = []
    if not is_ours:
        theirs = f"{name}: the statement has it paid by {reference}"
        found.append(f"{theirs}, with us it is {payout.status}")
    elif line.reference != payout.reference:
        found.append(f"{name}: we have it paid by {payout.reference}, the statement by {reference}")
    sent = None if payout.body is None else strict_json.loads(payout.body)["amount"]
    if sent is not None and line.amount != int(sent):
        found.append(f"{name}: we had {sent} paid, the statement says {line.amount}")
    return found


def _shown(text: str) -> str:
    return text if text and text.isprintable() else repr(text)
