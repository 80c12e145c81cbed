"""A log replayed: the one that was written leads to the lobby, any other is found out."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from server.store.log import LOG_START, Snapshot, StreamEntry, record_events
from server.store.replay import BrokenLog, replay
from tests.rules.endings import won

FIELDS = ("version", "at", "type", "data", "previous", "event", "message")


def written() -> tuple[list[StreamEntry], str]:
    """The log of a game that was won, and the hash of its last record."""
    log: list[StreamEntry] = []
    so_far = Snapshot(None, LOG_START)
    for event in won().events:
        ((entry, lobby),) = record_events(so_far, [event], 1_000.5)
        log.append((entry.position.id, dict(entry.fields)))
        so_far = Snapshot(lobby, entry.position)
    return log, so_far.position.hash


LOG, LAST_HASH = written()
IDS = [entry_id for entry_id, _ in LOG]

positions = st.integers(0, len(LOG) - 1)


def fault(log: list[StreamEntry]) -> str:
    """The id of the entry at which a log is found out."""
    with pytest.raises(BrokenLog) as broken:
        list(replay(log, LAST_HASH))
    return str(broken.value).partition(":")[0]


def test_the_log_that_was_written_leads_to_the_lobby() -> None:
    steps = list(replay(LOG, LAST_HASH))
    assert [step.record.position.id for step in steps] == IDS
    assert steps[-1].lobby.outcome == "won"
    assert steps[-1].lobby.log_hash == steps[-2].record.position.hash


@given(positions, st.sampled_from(FIELDS), st.text())
def test_an_altered_record_is_found_out_where_it_stands(
    position: int, name: str, value: str
) -> None:
    entry_id, fields = LOG[position]
    assume(fields.get(name, "") != value)
    log = [*LOG[:position], (entry_id, {**fields, name: value}), *LOG[position + 1 :]]
    # What one record says of another may be wrong on either side.
    neighbour = IDS[max(position - 1, 0)] if name == "previous" and position else entry_id
    assert fault(log) in (entry_id, neighbour)


@given(positions)
def test_a_dropped_record_is_found_out_at_the_one_that_stands_in_its_place(position: int) -> None:
    following = IDS[position + 1] if position + 1 < len(IDS) else IDS[-2]
    assert fault([*LOG[:position], *LOG[position + 1 :]]) == following


@given(positions, positions)
def test_an_added_record_is_found_out(position: int, copied: int) -> None:
    log = [*LOG[:position], LOG[copied], *LOG[position:]]
    assert fault(log) == log[position + (position == copied)][0]


@given(positions, positions)
def test_swapped_records_are_found_out_at_the_first(one: int, other: int) -> None:
    assume(one != other)
    log = [*LOG]
    log[one], log[other] = log[other], log[one]
    assert fault(log) == log[min(one, other)][0]


def test_a_log_that_was_cut_short_is_found_out_at_its_new_end() -> None:
    assert fault(LOG[:-3]) == IDS[-4]
