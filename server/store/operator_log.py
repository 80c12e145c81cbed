"""The operators' log: every action that changed something, each entry with the hash of the one
before it.

The log, its head and the master of the restrictions are in one slot, and change in one step. What
operators do to lobbies happens in a table's slot: there it stands in an outbox from the same commit
on, until it is in the log.
"""

import dataclasses
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Final

import orjson

from server.rules.operator_chain import Action, Head, LogEntry, chained
from server.runtime.clock import StoreClock
from server.store import keys
from server.store.channels import Channels
from server.store.commits import Check, Commits
from server.store.connection import Connection
from server.store.errors import StoreUnavailable
from server.store.projection import Write

_PAGE: Final = 1_000
_ATTEMPTS: Final = 100
_MOVED: Final = "recorded:"
_MOVED_KEPT_MS: Final = 86_400_000
"""So long is kept that an action was moved out of its outbox: beyond whoever else moves it at the
same time, or after a crash."""
_MOVED_BEFORE: Final = "1"
_SWEPT_AT_ONCE: Final = 500
_UNREADABLE: Final = "unreadable"
_YEAR_10000_MS: Final = 253_402_300_800_000

Fields = Mapping[str, str]


class OperatorLog:
    """The log in the store, and the outboxes of the tables."""

    def __init__(
        self, connection: Connection, commits: Commits, channels: Channels, clock: StoreClock
    ) -> None:
        self._connection = connection
        self._commits = commits
        self._channels = channels
        self._clock = clock

    async def head(self) -> Head:
        """Where the log ends. Raises StoreUnavailable."""
        return (await self.look("head"))[0]

    async def look(self, name: str) -> tuple[Head, str | None]:
        """Where the log ends and, of the same instant, a field of the master. Raises
        StoreUnavailable."""
        number, hashed, version, found = await self._connection.call(
            "HMGET", keys.MASTER_RESTRICTIONS, "number", "head", "version", name
        )
        if not (number and hashed):
            return Head(), found
        return Head(_whole(number), hashed, _whole(version or "")), found

    async def append(
        self, head: Head, action: Action, changes: Mapping[str, str | None] | None = None
    ) -> LogEntry | None:
        """Write an action down as the next entry after `head`, and make its `changes` of the master
        true in the same step. None: that is not the last entry any more; decide again.

        Raises StoreUnavailable when it is not known which.
        """
        entry = chained(action, head.number + 1, head.hash)
        last = Check(("HGET", keys.MASTER_RESTRICTIONS, "head"), head.hash if head.number else "")
        writes = self._writes(entry, changes or {})
        done = await self._commits.commit([last], writes, self._clock.now_ms())
        return entry if done else None

    async def write_down(self, action: Action) -> LogEntry:
        """Write an action that changes no restriction down, after whatever is the last entry then.
        Raises StoreUnavailable."""
        for _ in range(_ATTEMPTS):
            entry = await self.append(await self.head(), action)
            if entry is not None:
                return entry
        raise StoreUnavailable("the operators' log kept changing")

    def _writes(self, entry: LogEntry, changes: Mapping[str, str | None]) -> Iterable[Write]:
        master = keys.MASTER_RESTRICTIONS
        flat = [part for pair in written(entry).items() for part in pair]
        yield ("XADD", keys.OPERATOR_LOG, f"{entry.id}-0", *flat)
        yield ("HSET", master, "number", str(entry.id), "head", entry.hash)
        for name, value in changes.items():
            yield ("HDEL", master, name) if value is None else ("HSET", master, name, value)
        yield (self._channels.publish, keys.OPERATORS, str(entry.id))

    async def pages(self, after: int = 0) -> AsyncIterator[list[LogEntry]]:
        """The entries after that number, in order. An entry that is none stands there as one whose
        hash does not hold. Raises StoreUnavailable."""
        start = f"({after}-0" if after else "-"
        while True:
            found = await self._connection.call(
                "XRANGE", keys.OPERATOR_LOG, start, "+", "COUNT", _PAGE
            )
            if found:
                yield [read_entry(entry_id, fields) for entry_id, fields in found]
            if len(found) < _PAGE:
                return
            start = f"({found[-1][0]}"

    async def entries(self, after: int = 0) -> list[LogEntry]:
        """All entries after that number. Raises StoreUnavailable."""
        return [entry async for page in self.pages(after) for entry in page]

    # What happened to lobbies

    async def empty_outbox(self, table: str) -> list[LogEntry]:
        """Move what stands in a table's outbox into the log, each once, whoever does it with us.
        Raises StoreUnavailable."""
        waiting = await self._connection.call("HGETALL", keys.operator_outbox(table))
        moved = []
        for action_id, text in waiting.items():
            moved += await self._move(table, action_id, text)
            await self._connection.call("HDEL", keys.operator_outbox(table), action_id)
        return moved

    async def _move(self, table: str, action_id: str, text: str) -> list[LogEntry]:
        action, once = _action(text), _MOVED + action_id
        if action is None:  # somebody else wrote it: it is shown as it is, and holds up nothing
            action = Action(
                operator="",
                action=_UNREADABLE,
                target=table,
                reason="",
                at=int(self._clock.now_ms()),
                details={_UNREADABLE: text},
            )
        for _ in range(_ATTEMPTS):
            head, recorded = await self.look(once)
            if recorded is not None:
                return []
            entry = await self.append(head, action, {**await self._swept(), once: self._now()})
            if entry is not None:
                return [entry]
        raise StoreUnavailable("the operators' log kept changing")

    async def _swept(self) -> dict[str, str | None]:
        """What is not kept any more of the actions that were moved. Of those that a version before
        this one moved it is not known when: from now on it is."""
        found: dict[str, str | None] = {}
        master = await self._connection.call("HGETALL", keys.MASTER_RESTRICTIONS)
        for name, moved_at in master.items():
            if name.startswith(_MOVED) and len(found) < _SWEPT_AT_ONCE:
                if moved_at == _MOVED_BEFORE:
                    found[name] = self._now()
                elif _whole(moved_at) < self._clock.now_ms() - _MOVED_KEPT_MS:
                    found[name] = None
        return found

    def _now(self) -> str:
        return str(int(self._clock.now_ms()))


def outbox_write(table: str, action_id: str, action: Action) -> Write:
    """The write that puts an action into a table's outbox, for the commit that carries it out."""
    values = {
        "operator": action.operator,
        "action": action.action,
        "target": action.target,
        "reason": action.reason,
        "at": action.at,
        "details": action.details,
    }
    return ("HSET", keys.operator_outbox(table), action_id, orjson.dumps(values).decode())


def _action(text: str) -> Action | None:
    """An action in an outbox, without what only a later version knows of it; None if it is none."""
    known = {each.name for each in dataclasses.fields(Action)}
    try:
        values = dict(orjson.loads(text))
        action = Action(**{name: value for name, value in values.items() if name in known})
    except (ValueError, TypeError):
        return None
    texts = (action.operator, action.action, action.target, action.reason)
    # PostgreSQL keeps no NUL, and neither a time before 1970 nor one after 9999 is a time of ours.
    is_one = all(isinstance(each, str) and "\0" not in each for each in texts)
    is_one = is_one and type(action.at) is int and 0 <= action.at < _YEAR_10000_MS
    return action if is_one and isinstance(action.details, dict | None) else None


def written(entry: LogEntry) -> dict[str, str]:
    """An entry as the fields of its stream entry."""
    fields = {
        "at": str(entry.at),
        "operator": entry.operator,
        "action": entry.action,
        "target": entry.target,
        "reason": entry.reason,
        "previous_hash": entry.previous_hash,
        "hash": entry.hash,
    }
    if entry.details is not None:
        fields["details"] = orjson.dumps(entry.details).decode()
    return fields


def read_entry(stream_id: str, fields: Fields) -> LogEntry:
    """The entry in a stream entry; what is missing in it, or of another shape, is empty, and so its
    hash does not hold."""
    return LogEntry(
        id=_whole(stream_id.partition("-")[0]),
        at=_whole(fields.get("at", "")),
        operator=fields.get("operator", ""),
        action=fields.get("action", ""),
        target=fields.get("target", ""),
        reason=fields.get("reason", ""),
        details=_details(fields.get("details")),
        previous_hash=fields.get("previous_hash", ""),
        hash=fields.get("hash", ""),
    )


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


def _details(text: str | None) -> Mapping[str, Any] | None:
    try:
        found = None if text is None else orjson.loads(text)
    except ValueError:
        return {_UNREADABLE: text}
    return found if found is None or isinstance(found, dict) else {_UNREADABLE: text}
