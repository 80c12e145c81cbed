"""The operators' log as a chain: each entry carries the hash of the one before it."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

EMPTY_HASH: Final = "0" * 64
"""The `previous_hash` of the first entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What an operator did: who, what, to whom or what, why, at which Unix ms; `details` is what
    else belongs to it."""

    operator: str
    action: str
    target: str
    reason: str
    at: int
    details: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """An action as it stands in the log. `id` counts from 1."""

    id: int
    at: int
    operator: str
    action: str
    target: str
    reason: str
    details: Mapping[str, Any] | None
    previous_hash: str
    hash: str

    def computed_hash(self) -> str:
        """The hash that the entry has if nobody altered it: hex SHA-256 of the JSON text (no
        spaces, no ASCII escaping) of all its other values in the order of its fields, with
        `previous_hash` first."""
        values = [
            *(self.previous_hash, self.id, self.at, self.operator, self.action),
            *(self.target, self.reason, self.details),
        ]
        text = json.dumps(values, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def chained(action: Action, number: int, previous_hash: str) -> LogEntry:
    """The action as the entry of that number."""
    unsealed = LogEntry(
        id=number,
        at=action.at,
        operator=action.operator,
        action=action.action,
        target=action.target,
        reason=action.reason,
        details=action.details,
        previous_hash=previous_hash,
        hash="",
    )
    return replace(unsealed, hash=unsealed.computed_hash())


def breaks(entries: Iterable[LogEntry], head: "Head | None" = None) -> list[str]:
    """Where the chain is broken, a sentence for each; `head`: where it has to end."""
    found, previous, number = [], EMPTY_HASH, 0
    for entry in entries:
        number += 1
        if entry.id != number:
            found.append(f"entry {number}: it is missing, {entry.id} stands in its place")
        elif entry.previous_hash != previous:
            found.append(f"entry {number}: it does not follow on the one before it")
        if entry.hash != entry.computed_hash():
            found.append(f"entry {entry.id}: it was altered")
        previous, number = entry.hash, entry.id
    if head is not None and (head.number, head.hash) != (number, previous):
        found.append(f"the log ends at entry {number}, but {head.number} was the last, or another")
    return found


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry: its number and its hash; and the `version` of the restrictions after it."""

    number: int = 0
    hash: str = EMPTY_HASH
    version: int = 0
