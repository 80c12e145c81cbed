"""The log of a lobby: where it stands, and how events become its records.

A record's id is `<seq>-<minor>`: `seq` counts the events that are sent to the room (minor 0),
`minor` those in between that concern one player only. So what a client has missed after `seq` is
one range of the stream.

Records are a chain: each carries the hash of the one before it, which vouches for all before.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import orjson

from server.rules.events import EMPTY_LOG_HASH, Event, GameFinished
from server.rules.evolve import evolve
from server.rules.lobby import SET_BACK_MS, Lobby
from server.rules.views import RoomMessage, room_event
from server.store.codec import event_json, event_type, read_event, why
from server.store.errors import NotUnderstood

StreamEntry = tuple[str, Mapping[str, str]]
"""An entry of a lobby's stream: its id and its fields."""


def record_hash(entry_id: str, fields: Mapping[str, str]) -> str:
    """The hash of a record (hex SHA-256): of these lines, where what a record does not have is an
    empty one. None of them has a line feed in it."""
    field = fields.get
    lines = (
        f"{field('previous', '')}\n{entry_id}\n{field('version', '')}\n{field('at', '')}\n"
        f"{field('type', '')}\n{field('data', '')}\n{field('event', '')}\n{field('message', '')}"
    )
    return hashlib.sha256(lines.encode()).hexdigest()


class LogPosition(NamedTuple):
    """How far a lobby's log has come. `version` counts all records; `at_ms` is the last one's Unix
    time, `hash` its hash; empty if that was written before there were hashes."""

    version: int = 0
    seq: int = 0
    minor: int = 0
    at_ms: float = 0.0
    hash: str = EMPTY_LOG_HASH

    @property
    def id(self) -> str:
        """The id of the last record."""
        return f"{self.seq}-{self.minor}"


LOG_START: Final = LogPosition()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A lobby at a point of its log; no lobby before the first record."""

    lobby: Lobby | None
    position: LogPosition

    def time_ms(self, now_ms: float) -> float:
        """When something happens to it now: not before what happened to it last, unless the store's
        clock was set back."""
        was_set_back = self.position.at_ms - now_ms > SET_BACK_MS
        return now_ms if was_set_back else max(now_ms, self.position.at_ms)


class Record(NamedTuple):
    """One event as it stands in the log: its fields, the event in them, and the message that is
    sent to the room, if any: its name and its JSON."""

    position: LogPosition
    event: Event
    fields: Mapping[str, str]

    @property
    def name(self) -> str | None:
        """The name of the message; None if nothing is sent to the room."""
        return self.fields.get("event")

    @property
    def message(self) -> str | None:
        """The message as JSON."""
        return self.fields.get("message")


def record_events(
    snapshot: Snapshot, events: Iterable[Event], now_ms: float
) -> list[tuple[Record, Lobby]]:
    """The records of events that happened to a lobby at `now_ms`, each with the lobby after it.

    Time never goes back within a log, also when the store's did.
    """
    lobby, position = snapshot.lobby, snapshot.position
    records = []
    for event in events:
        if isinstance(event, GameFinished):
            event = replace(event, log_hash=position.hash or EMPTY_LOG_HASH)
        after = evolve(lobby, event)
        at_ms = max(now_ms, position.at_ms)
        record = _record(position, event, room_event(lobby, event, after), at_ms)
        records.append((record, after))
        lobby, position = after, record.position
    return records


def _record(
    before: LogPosition, event: Event, for_room: RoomMessage | None, at_ms: float
) -> Record:
    seq = before.seq if for_room is None else before.seq + 1
    minor = before.minor + 1 if for_room is None else 0
    fields = {
        "version": str(before.version + 1),
        "at": repr(at_ms),
        "type": event_type(event),
        "data": event_json(event),
        "previous": before.hash,
    }
    if for_room is not None:
        fields["event"], facts = for_room
        fields["message"] = orjson.dumps({"seq": seq, "at": at_ms, **facts}).decode()
    hashed = record_hash(f"{seq}-{minor}", fields)
    return Record(LogPosition(before.version + 1, seq, minor, at_ms, hashed), event, fields)


def read_record(entry_id: str, fields: Mapping[str, str]) -> Record:
    """The record of a stream entry. Raises NotUnderstood if it is none that this version knows."""
    try:
        seq, minor = entry_id.split("-")
        hashed = record_hash(entry_id, fields)
        position = LogPosition(
            int(fields["version"]), int(seq), int(minor), float(fields["at"]), hashed
        )
        return Record(position, read_event(fields["type"], fields["data"]), fields)
    except (LookupError, ValueError) as error:
        raise NotUnderstood(f"{entry_id}: it is no record: {why(error)}") from None


def read_position(fields: Mapping[str, str]) -> LogPosition:
    """The position of the log by the fields of the lobby's hash."""
    return LogPosition(
        version=int(fields["version"]),
        seq=int(fields["seq"]),
        minor=int(fields["minor"]),
        at_ms=float(fields["at"]),
        hash=fields.get("hash", ""),
    )


def position_fields(position: LogPosition) -> dict[str, str]:
    """The fields of a lobby's hash that hold the position of its log."""
    return {
        "version": str(position.version),
        "seq": str(position.seq),
        "minor": str(position.minor),
        "at": repr(position.at_ms),
        "hash": position.hash,
    }


def encode_commit(records: Sequence[Record]) -> str:
    """The message that is published of a commit: a header line with the version of its first record
    and the hash of its last, by which a node that has them already can skip the rest, and then the
    records as JSON."""
    first, last = records[0].position, records[-1].position
    entries = orjson.dumps([[record.position.id, record.fields] for record in records])
    return f"{first.version} {last.hash}\n{entries.decode()}"


_INVOICE_CHANGE: Final = "invoice of "


def encode_invoice_change(alien_id: str) -> str:
    """The message that is published when only the invoice of a player has changed: no commit."""
    return _INVOICE_CHANGE + alien_id


def decode_invoice_change(message: str) -> str | None:
    """Whose invoice has changed; None if the message is about something else."""
    alien_id = message.removeprefix(_INVOICE_CHANGE)
    return None if alien_id == message else alien_id


def commit_header(message: str) -> tuple[int, str]:
    """The version of a published commit's first record, and the hash of its last. Raises
    NotUnderstood if it is no commit that this version knows."""
    version, _, last_hash = message.partition("\n")[0].partition(" ")
    if not version.isdecimal():
        raise NotUnderstood("it is no commit")
    return int(version), last_hash


def decode_commit(message: str) -> list[Record]:
    """The records of a published commit. Raises NotUnderstood."""
    try:
        entries: list[tuple[str, Mapping[str, str]]] = orjson.loads(message.partition("\n")[2])
        return [read_record(entry_id, fields) for entry_id, fields in entries]
    except (AttributeError, TypeError, ValueError) as error:
        raise NotUnderstood(f"it is no commit: {error!r}") from None
