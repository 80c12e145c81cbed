"""The log of a lobby: where it stands, and how events become its records.

A record's id is `<seq>-<minor>`: `seq` counts the events that the room hears (minor 0), `minor`
those in between that are nobody else's business. So what a client has missed after `seq` is one
range of the stream.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from protocol.to_client import ROOM_EVENT_NAMES, RoomEvent
from server.rules.events import Event
from server.rules.evolve import evolve
from server.rules.lobby import Lobby
from server.rules.views import announce
from server.store.codec import event_json, event_type, read_event


@dataclass(frozen=True, slots=True)
class Head:
    """How far a lobby's log has come. `version` counts all records; `at` is the last one's Unix
    time in ms."""

    version: int = 0
    seq: int = 0
    minor: int = 0
    at: float = 0.0

    def after(self, *, heard: bool, at: float) -> "Head":
        """The head after one more record, `heard` by the room or not."""
        if heard:
            return Head(self.version + 1, self.seq + 1, 0, at)
        return Head(self.version + 1, self.seq, self.minor + 1, at)

    @property
    def id(self) -> str:
        """The id of the last record."""
        return f"{self.seq}-{self.minor}"


NOTHING: Final = Head()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A lobby at a point of its log; no lobby before the first record."""

    lobby: Lobby | None
    head: Head


@dataclass(frozen=True, slots=True)
class Record:
    """One event as it stands in the log: the facts, and what the room hears of them, if anything:
    the name and the JSON of the message."""

    head: Head
    event: Event
    name: str | None = None
    message: str | None = None


def record(
    snapshot: Snapshot, events: Iterable[Event], now_ms: float
) -> list[tuple[Record, Lobby]]:
    """The records of events that happened to a lobby at `now_ms`, each with the lobby after it.

    Time never goes back within a log, also when the store's did.
    """
    lobby, head = snapshot.lobby, snapshot.head
    records = []
    for event in events:
        after = evolve(lobby, event)
        heard = announce(lobby, event, after)
        head = head.after(heard=heard is not None, at=max(now_ms, head.at))
        records.append((_record(head, event, heard), after))
        lobby = after
    return records


def _record(head: Head, event: Event, heard: RoomEvent | None) -> Record:
    if heard is None:
        return Record(head, event)
    message = {"seq": head.seq, "at": head.at, **heard.model_dump()}
    return Record(head, event, ROOM_EVENT_NAMES[type(heard)], orjson.dumps(message).decode())


def stream_fields(entry: Record) -> list[str]:
    """A record as the fields of a stream entry."""
    head, event = entry.head, entry.event
    values = ["version", str(head.version), "at", repr(head.at)]
    values += ["type", event_type(event), "data", event_json(event)]
    if entry.name is not None and entry.message is not None:
        values += ["event", entry.name, "message", entry.message]
    return values


def read_record(entry_id: str, values: dict[str, str]) -> Record:
    """The record of a stream entry."""
    seq, minor = entry_id.split("-")
    head = Head(int(values["version"]), int(seq), int(minor), float(values["at"]))
    event = read_event(values["type"], values["data"])
    return Record(head, event, values.get("event"), values.get("message"))


def announcement(records: Sequence[Record]) -> str:
    """What is published of a commit: the version of its first record on a line of its own, so that
    a node that has it already need not read on, and the records as JSON."""
    entries = [[entry.head.id, stream_fields(entry)] for entry in records]
    return f"{records[0].head.version}\n{orjson.dumps(entries).decode()}"


_INVOICE_NEWS: Final = "invoice of "


def invoice_news(alien_id: str) -> str:
    """What is published when only the invoice of a player has changed: no announcement."""
    return _INVOICE_NEWS + alien_id


def read_invoice_news(published: str) -> str | None:
    """Whose invoice has changed; None for an announcement."""
    alien_id = published.removeprefix(_INVOICE_NEWS)
    return None if alien_id == published else alien_id


def first_version(published: str) -> int:
    """The version of the first record of an announcement."""
    return int(published[: published.index("\n")])


def read_announcement(published: str) -> list[Record]:
    """The records of an announcement."""
    entries: list[Any] = orjson.loads(published[published.index("\n") :])
    return [
        read_record(entry_id, dict(zip(values[::2], values[1::2], strict=True)))
        for entry_id, values in entries
    ]
