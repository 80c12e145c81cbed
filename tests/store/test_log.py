import json
from itertools import pairwise

import pytest
from hypothesis import given
from redis.asyncio import Redis

from server.rules.events import SeatTaken
from server.store import keys
from server.store.codec import event_json, event_type, read_event
from server.store.log import (
    LOG_START,
    Snapshot,
    commit_header,
    decode_commit,
    encode_commit,
    record_events,
)
from tests.rules import strategies
from tests.rules.endings import cancelled, voided, won
from tests.rules.games import LOBBY_ID
from tests.store.record_keeper import RecordKeeper
from tests.support.game import Node
from tests.support.store_content import command

NOTHING_YET = Snapshot(None, LOG_START)


@pytest.fixture
async def keeper(node: Node, redis: Redis) -> RecordKeeper:
    """The keeper of a whole game that was committed three events at a time."""
    keeper = RecordKeeper(node, redis)
    events = won().events
    for first in range(0, len(events), 3):
        await keeper.commit(events[first : first + 3])
    return keeper


@pytest.mark.parametrize("play", [won, cancelled, voided])
def test_a_published_commit_has_exactly_what_was_recorded(play: type) -> None:
    records = [entry for entry, _ in record_events(NOTHING_YET, play().events, 1.5)]
    message = encode_commit(records[3:])
    assert decode_commit(message) == records[3:]
    assert commit_header(message) == (4, records[-1].position.hash)


@given(strategies.alien_ids, strategies.client_seeds)
def test_whatever_players_call_themselves_and_bring_is_kept(alien_id: str, seed: str) -> None:
    event = SeatTaken(alien_id, seed, "invoice", 1, 2, takes_test=False)
    assert read_event(event_type(event), event_json(event)) == event


async def test_what_is_sent_to_the_room_is_numbered_without_gaps_and_the_rest_in_between(
    keeper: RecordKeeper, redis: Redis
) -> None:
    seq = minor = 0
    for entry_id, entry in await command(redis, "XRANGE", keys.events(LOBBY_ID), "-", "+"):
        sent = "event" in entry
        seq, minor = (seq + 1, 0) if sent else (seq, minor + 1)
        assert entry_id == f"{seq}-{minor}"
        if sent:
            message = json.loads(entry["message"])
            assert (message["seq"], message["at"]) == (seq, float(entry["at"]))
    assert seq == keeper.snapshot.position.seq > 20
    assert keeper.snapshot.position.version == len(keeper.records) > seq


async def test_what_was_sent_to_the_room_after_any_event_is_read_in_order(
    keeper: RecordKeeper, node: Node
) -> None:
    last = keeper.snapshot.position.seq
    sent = [entry for entry in keeper.records if entry.name is not None]
    for seq in range(last + 2):
        assert await node.store.room_records_after(LOBBY_ID, seq, 1_000) == sent[seq:]


async def test_what_was_sent_to_the_room_is_read_in_pages(keeper: RecordKeeper, node: Node) -> None:
    sent = [entry for entry in keeper.records if entry.name is not None]
    page = await node.store.room_records_after(LOBBY_ID, 7, 3)
    assert page == sent[7:10]


async def test_time_never_goes_back_in_a_log(keeper: RecordKeeper) -> None:
    instants = [entry.position.at_ms for entry in keeper.records]
    assert all(earlier <= later for earlier, later in pairwise(instants))


def test_a_record_is_not_earlier_than_the_one_before_even_if_the_clock_went_back() -> None:
    first, second, third = won().events[:3]
    earlier = record_events(NOTHING_YET, [first, second], 100.0)
    before = Snapshot(earlier[-1][1], earlier[-1][0].position)
    later = record_events(before, [third], 1.0)
    assert [entry.position.at_ms for entry, _ in earlier + later] == [100.0, 100.0, 100.0]
