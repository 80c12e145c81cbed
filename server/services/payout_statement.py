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
class Line:
    """One payment of the statement; `amount` in the token's smallest unit."""

    payout_id: str
    amount: int
    reference: str


class Payout(Protocol):
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


def read_statement(lines: Iterable[str]) -> list[Line]:
    """The payments in a CSV file, whose first line names the columns. Raises BadStatement."""
    reader = csv.DictReader(lines, strict=True, restval="", skipinitialspace=True)
    try:
        names = reader.fieldnames or ()
        if missing := [name for name in COLUMNS if name not in names]:
            raise BadStatement(f"the statement has no column {', '.join(missing)}")
        return [_line(number, row) for number, row in enumerate(reader, 2)]
    except csv.Error as error:
        raise BadStatement(f"line {reader.line_num} is no CSV: {error}") from None


def _line(number: int, row: dict[str, str]) -> Line:
    payout_id, amount, reference = (row[name].strip() for name in COLUMNS)
    if re.fullmatch("[0-9]{1,100}", amount) is None:
        raise BadStatement(f"line {number}: its amount is no number of the smallest unit")
    return Line(payout_id, int(amount), reference)


async def differences(statement: Iterable[Line], ours: AsyncIterator[Payout]) -> list[str]:
    """Every difference between what the provider says that it paid and what we have as paid, in
    words. What was settled by hand is not expected of the provider."""
    lines: dict[str, Line] = {}
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


def _compared(payout: Payout, line: Line | None) -> list[str]:
    name, is_ours = payout.payout_id, payout.status == "settled" and not payout.by_hand
    if line is None:
        missing = f"{name}: we have it paid by {payout.reference}, the statement does not have it"
        return [missing] if is_ours else []
    told = _shown(line.reference)
    if payout.status == "settled" and payout.by_hand:
        return [f"{name}: it was settled by hand with {payout.reference}, and paid by {told} too"]
    found = []
    if not is_ours:
        found.append(f"{name}: the statement has it paid by {told}, with us it is {payout.status}")
    elif line.reference != payout.reference:
        found.append(f"{name}: we have it paid by {payout.reference}, the statement by {told}")
    sent = None if payout.body is None else strict_json.loads(payout.body)["amount"]
    if sent is not None and line.amount != int(sent):
        found.append(f"{name}: we had {sent} paid, the statement says {line.amount}")
    return found


def _shown(text: str) -> str:
    return text if text and text.isprintable() else repr(text)
