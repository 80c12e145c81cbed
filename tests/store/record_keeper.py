"""Commits a game as it happens, and checks what the store makes of it."""

from collections.abc import Sequence
from dataclasses import replace

from redis.asyncio import Redis

from protocol.ids import invoice_id
from server.rules.events import Event, SeatPaid, SeatTaken
from server.rules.evolve import fold
from server.store.log import LOG_START, LogPosition, Record, Snapshot
from tests.rules.games import LOBBY_ID
from tests.store.agreement import assert_agrees
from tests.support.game import Node
from tests.support.store_content import store_content

ATTEMPTS = 5
"""A machine that pauses makes a decision stale, so that nothing is written."""


class RecordKeeper:
    """Commits the events of `LOBBY_ID`, alone in its store, through a node."""

    def __init__(self, node: Node, redis: Redis) -> None:
        self._node = node
        self._redis = redis
        self.snapshot = Snapshot(None, LOG_START)
        self.records: list[Record] = []

    async def commit(self, happened: Sequence[Event]) -> None:
        """Commit what happened next, in one step."""
        for _ in range(ATTEMPTS):
            now_ms = self._node.clock.now_ms()
            done = await self._node.store.commit(self.snapshot, with_invoices(happened), now_ms)
            if done is not None:
                break
        assert done is not None
        self.snapshot, records = done
        self.records += records

    async def check(self) -> None:
        """What is loaded, what the log leads to and what stands in the hashes is the lobby."""
        loaded = await self._node.store.load(LOBBY_ID)
        log = await self._node.store.records_from(LOBBY_ID, LogPosition(), len(self.records) + 1)
        assert loaded == self.snapshot
        assert log == self.records
        assert fold(record.event for record in log) == loaded.lobby
        assert loaded.lobby is not None
        assert_agrees(await store_content(self._redis), loaded.lobby)


def with_invoices(happened: Sequence[Event]) -> list[Event]:
    """The events with invoice ids that lead to a table, as those of a server do."""
    return [
        replace(event, invoice_id=invoice_id(LOBBY_ID, event.invoice_id[-8:].encode()))
        if isinstance(event, SeatTaken | SeatPaid)
        else event
        for event in happened
    ]
