"""Replaying a log: is it the one that was written, and where does it lead?"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import inf

from server.rules.evolve import evolve
from server.rules.lifecycle import IllegalStep
from server.rules.lobby import Lobby
from server.store import codec
from server.store.lobbies import Texts
from server.store.log import NOTHING, Entry, Head, Record, head_fields, read_record


class BrokenLog(Exception):
    """A log that is not the one that was written. The text names the first entry at fault."""


@dataclass(frozen=True, slots=True)
class Step:
    """A record, and the lobby after it."""

    record: Record
    lobby: Lobby


def replay(entries: Iterable[Entry], last_hash: str) -> Iterator[Step]:
    """What happened, step by step.

    Raises BrokenLog at the first entry that was altered, dropped, added or swapped: at the one that
    stands where another should, or that is not what the next one, or `last_hash`, vouches for.
    """
    lobby, head = None, NOTHING
    for entry_id, fields in entries:
        entry = _read(entry_id, fields)
        if _place(entry.head) != _place_after(head, entry):
            raise BrokenLog(f"{entry_id}: it does not stand next to {head.id}")
        if fields["previous"] != head.hash:
            altered = entry_id if lobby is None else head.id
            raise BrokenLog(f"{altered}: it is not what {entry_id} vouches for")
        if not head.at <= entry.head.at < inf:
            raise BrokenLog(f"{entry_id}: its time is before that of {head.id}, or none")
        try:
            lobby = evolve(lobby, entry.event)
        except (IllegalStep, LookupError, ValueError) as error:
            raise BrokenLog(f"{entry_id}: it cannot have happened: {error!r}") from None
        head = entry.head
        yield Step(entry, lobby)
    if head.hash != last_hash:
        raise BrokenLog(f"{head.id}: it is not the last one, or was altered")


def texts(step: Step) -> Texts:
    """The lobby after a step as the store has to have it, to the byte."""
    lobby = step.lobby
    players = [codec.player_hash(player) for player in lobby.players.values()]
    called = [str(number) for number in lobby.called]
    return codec.lobby_hash(lobby) | head_fields(step.record.head), called, players


def _read(entry_id: str, fields: Mapping[str, str]) -> Record:
    try:
        return read_record(entry_id, fields)
    except (LookupError, ValueError) as error:
        raise BrokenLog(f"{entry_id}: it is no record: {error!r}") from None


def _place(head: Head) -> tuple[int, int, int]:
    return head.version, head.seq, head.minor


def _place_after(before: Head, entry: Record) -> tuple[int, int, int]:
    """The place that `entry` has if it is the next one."""
    heard = entry.name is not None
    return before.version + 1, before.seq + heard, 0 if heard else before.minor + 1
