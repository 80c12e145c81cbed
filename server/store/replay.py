"""Replaying a log: is it the one that was written, and where does it lead?"""

from collections.abc import Iterable, Iterator, Mapping
from math import inf
from typing import NamedTuple

from server.rules.beacon import verifies
from server.rules.events import EMPTY_LOG_HASH, BeaconMixed, GameFinished
from server.rules.evolve import evolve
from server.rules.lifecycle import IllegalStep
from server.rules.lobby import Lobby
from server.store.errors import NotUnderstood
from server.store.lobbies import Texts, read_snapshot
from server.store.log import LOG_START, LogPosition, Record, Snapshot, StreamEntry, read_record


class BrokenLog(Exception):
    """A log that is not the one that was written. The text names the first entry at fault."""


class Step(NamedTuple):
    """A record, and the lobby after it."""

    record: Record
    lobby: Lobby


def replay(entries: Iterable[StreamEntry], last_hash: str) -> Iterator[Step]:
    """What happened, step by step.

    Raises BrokenLog at the first entry that was altered, dropped, added or swapped: at the one that
    stands where another should, or that is not what the next one, or `last_hash`, vouches for.
    Nothing vouches for the records that were written before there were hashes.
    """
    lobby, position, hashed = None, LOG_START, False
    for entry_id, fields in entries:
        record = _read(entry_id, fields)
        following, event, _ = record
        if following[:3] != _place_after(position, fields):
            raise BrokenLog(f"{entry_id}: it does not stand next to {position.id}")
        previous = fields.get("previous", "")
        hashed = hashed or previous != ""
        if previous != (position.hash if hashed else "") or (
            isinstance(event, GameFinished)
            and event.log_hash not in (EMPTY_LOG_HASH, position.hash)
        ):
            altered = entry_id if lobby is None else position.id
            raise BrokenLog(f"{altered}: it is not what {entry_id} vouches for")
        if not position.at_ms <= following.at_ms < inf:
            raise BrokenLog(f"{entry_id}: its time is before that of {position.id}, or none")
        try:
            lobby = evolve(lobby, event)
            if isinstance(event, BeaconMixed):
                _check_beacon(lobby, event)
        except (IllegalStep, LookupError, ValueError) as error:
            raise BrokenLog(f"{entry_id}: it cannot have happened: {error!r}") from None
        position = following
        yield Step(record, lobby)
    if last_hash != position.hash and (hashed or last_hash):
        raise BrokenLog(f"{position.id}: it is not the last one, or was altered")


def is_kept(step: Step, kept: Texts) -> bool:
    """Whether the lobby after a step is what the store has: by its values, so that fields of
    another version do not matter."""
    try:
        found = read_snapshot(kept)
    except (LookupError, ValueError):
        return False
    lobby, position = step.lobby, step.record.position
    same_order = found.lobby is not None and [*found.lobby.players] == [*lobby.players]
    return found == Snapshot(lobby, position._replace(hash=found.position.hash)) and same_order


def _read(entry_id: str, fields: Mapping[str, str]) -> Record:
    try:
        return read_record(entry_id, fields)
    except NotUnderstood as error:
        raise BrokenLog(str(error)) from None


def _check_beacon(lobby: Lobby, mixed: BeaconMixed) -> None:
    """Raises ValueError at a round of the beacon that is not signed with the key that the log names
    from its beginning."""
    if lobby.beacon is not None:
        key = lobby.beacon.chain.public_key
        if not verifies(key, mixed.round, mixed.signature):
            raise ValueError("the signature is not the beacon's")


def _place_after(before: LogPosition, fields: Mapping[str, str]) -> tuple[int, int, int]:
    """The place of a record of these fields if it is the next one: its version, seq and minor."""
    if "event" in fields:  # it is sent to the room
        return before.version + 1, before.seq + 1, 0
    return before.version + 1, before.seq, before.minor + 1
