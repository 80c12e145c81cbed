"""The lobbies that this node follows: their state as of the last commit that was heard of.

A node follows the lobbies that it has sockets for. It subscribes first and loads then, takes each
commit once and in order, and fills a gap from the lobby's log before anything later counts.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, Final, Protocol

import structlog

from protocol.views import Status
from server.runtime.metrics import Metrics
from server.services.locks import Locks
from server.services.replica import Replica
from server.store import keys
from server.store.errors import NotUnderstood, StoreUnavailable
from server.store.lobbies import LobbyStore
from server.store.log import (
    Record,
    Snapshot,
    commit_header,
    decode_invoice_change,
)
from server.store.subscription import Subscription

_PAGE: Final = 1_000
_RETRY_SECONDS: Final = 0.5
_EXPIRY_LOOK_SECONDS: Final = 60.0
"""The clock by which lobbies expire, the store's, may be set meanwhile."""

log = structlog.get_logger(__name__)


class ReplicaListener(Protocol):
    """Those who want to know what happens in replica lobbies."""

    def happened(self, lobby_id: str, snapshot: Snapshot, records: Sequence[Record]) -> None:
        """These records follow on what was told before; `snapshot` is the lobby after them."""

    def invoice_changed(self, lobby_id: str, alien_id: str) -> None:
        """A player's invoice changed, and nothing that the others see."""

    def reset(self, lobby_id: str, snapshot: Snapshot) -> None:
        """What was told before no longer holds: the store has lost some of it."""

    def gone(self, lobby_id: str) -> None:
        """The store has the lobby no more: it expired, or the store has lost it."""


class LobbyReplicas:
    """Keeps replica lobbies current, and tells the audience."""

    def __init__(self, store: LobbyStore, subscription: Subscription, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics
        self._subscription = subscription
        self._replica_of: dict[str, Replica] = {}
        self._locks = Locks()
        self._tasks: set[asyncio.Task[None]] = set()
        self.listener: ReplicaListener | None = None

    def snapshot(self, lobby_id: str) -> Snapshot | None:
        """The lobby as this node knows it; None when it does not follow it, or it is gone."""
        replica = self._replica_of.get(lobby_id)
        return None if replica is None or replica.gone else replica.snapshot

    def statuses(self) -> Iterable[tuple[int, Status]]:
        """The tier and the status of each replica lobby."""
        for replica in self._replica_of.values():
            lobby = replica.snapshot.lobby
            if lobby is not None:
                yield lobby.buy_in_amount, lobby.status

    def recent(self, lobby_id: str) -> Sequence[Record]:
        """The last records that the lobby's room heard, oldest first, without a gap."""
        replica = self._replica_of.get(lobby_id)
        return () if replica is None else tuple(replica.recent)

    async def follow(self, lobby_id: str) -> bool:
        """Follow a lobby once more; False if there is none. Each success needs an `unfollow`.

        Raises StoreUnavailable.
        """
        async with self._locks.hold(lobby_id):
            replica = self._replica_of.get(lobby_id)
            if replica is None:
                return await self._start(lobby_id)
            if replica.gone:
                return False
            replica.followers += 1
            return True

    def unfollow(self, lobby_id: str) -> None:
        """Follow a lobby once less; after the last time nothing of it is kept."""
        replica = self._replica_of[lobby_id]
        replica.followers -= 1
        if replica.followers == 0:
            del self._replica_of[lobby_id]
            self._subscription.unsubscribe(keys.events(lobby_id))
            if replica.expiring is not None:
                replica.expiring.cancel()

    def expect(self, lobby_id: str, after: Snapshot, records: Sequence[Record]) -> None:
        """This node is about to commit these records: should the store's message come before its
        answer, it need not be read."""
        replica = self._replica_of.get(lobby_id)
        if replica is not None:
            replica.expected = (after, records)

    def committed(self, lobby_id: str, after: Snapshot, records: Sequence[Record]) -> None:
        """Take note of a commit of this node, before the store tells of it."""
        replica = self._replica_of.get(lobby_id)
        if replica is None or replica.snapshot.position.hash == after.position.hash:
            return
        if replica.is_next(records):
            self._advance(lobby_id, replica, records, after)
        else:
            self._close_gap_soon(lobby_id, replica)

    async def catch_up(self, lobby_id: str) -> None:
        """Learn everything that the store knows of a replica lobby by now, heard of or not.

        Raises StoreUnavailable.
        """
        replica = self._replica_of.get(lobby_id)
        while replica is not None and await self._read_on(lobby_id, replica):
            pass

    def restore(self) -> None:
        """Catch up with every replica lobby: messages may have been missed."""
        for lobby_id, replica in self._replica_of.items():
            self._close_gap_soon(lobby_id, replica)

    async def close(self) -> None:
        """Stop catching up."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _start(self, lobby_id: str) -> bool:
        channel = keys.events(lobby_id)
        early: list[str] = []
        connections = self._subscription.connections
        await self._subscription.subscribe(channel, early.append)
        try:
            snapshot = await self._store.load(lobby_id)
        except BaseException:
            self._subscription.unsubscribe(channel)
            raise
        if snapshot.lobby is None:
            self._subscription.unsubscribe(channel)
            return False
        replica = self._replica_of[lobby_id] = Replica(snapshot)
        self._subscription.redirect(channel, lambda said: self._published(lobby_id, said))
        for said in early:
            self._published(lobby_id, said)
        if self._subscription.connections != connections:
            self._close_gap_soon(lobby_id, replica)
        self._expect_expiry(lobby_id, replica)
        return True

    def _published(self, lobby_id: str, said: str) -> None:
        replica = self._replica_of.get(lobby_id)
        if replica is None:
            return
        alien_id = decode_invoice_change(said)
        if alien_id is not None:
            self._invoice_changed(lobby_id, alien_id)
            return
        try:
            version, last_hash = commit_header(said)
            if version > replica.snapshot.position.version:
                self._announced(lobby_id, replica, *replica.told(said, last_hash))
        except NotUnderstood as error:
            log.warning("announcement_not_understood", lobby_id=lobby_id, error=str(error))
            self._close_gap_soon(lobby_id, replica)

    def _invoice_changed(self, lobby_id: str, alien_id: str) -> None:
        if self.listener is not None:
            self.listener.invoice_changed(lobby_id, alien_id)

    def _announced(
        self, lobby_id: str, replica: Replica, after: Snapshot | None, records: Sequence[Record]
    ) -> None:
        if not replica.catching_up and replica.is_next(records):
            self._advance(lobby_id, replica, records, after)
        else:
            self._close_gap_soon(lobby_id, replica)

    def _advance(
        self,
        lobby_id: str,
        replica: Replica,
        records: Sequence[Record],
        after: Snapshot | None = None,
    ) -> None:
        replica.advance(records, after)
        if self.listener is not None:
            self.listener.happened(lobby_id, replica.snapshot, records)
        self._expect_expiry(lobby_id, replica)

    def _close_gap_soon(self, lobby_id: str, replica: Replica) -> None:
        replica.behind = True
        if not replica.catching_up:
            replica.catching_up = True
            self._spawn(self._close_gap(lobby_id, replica))

    async def _close_gap(self, lobby_id: str, replica: Replica) -> None:
        try:
            while replica.behind and self._replica_of.get(lobby_id) is replica:
                replica.behind = False
                try:
                    more = await self._read_on(lobby_id, replica)
                    replica.behind = replica.behind or more
                except NotUnderstood as error:  # nor will it be: the next announcement may
                    log.warning("lobby_not_understood", lobby_id=lobby_id, error=str(error))
                except StoreUnavailable as error:
                    log.warning("catching_up_failed", lobby_id=lobby_id, error=str(error))
                    replica.behind = True
                    await asyncio.sleep(_RETRY_SECONDS)
        except Exception:
            log.exception("catching_up_failed", lobby_id=lobby_id)
        finally:
            replica.catching_up = False

    async def _read_on(self, lobby_id: str, replica: Replica) -> bool:
        """Take in the next records, and tell whether there may be more."""
        head = replica.snapshot.position
        try:
            records = await self._store.records_from(lobby_id, head, _PAGE)
        except NotUnderstood:  # of a newer version, which has left the lobby after them as well
            records = []
        if self._replica_of.get(lobby_id) is not replica:
            return False
        if not records or records[0].position != head:
            await self._start_over(lobby_id, replica)
            return False
        missed = [r for r in records if r.position.version > replica.snapshot.position.version]
        if missed and not replica.is_next(missed):
            return True  # it went on meanwhile, and not from there
        if missed:
            self._metrics.gaps_filled.inc()
            self._advance(lobby_id, replica, missed)
        return len(records) == _PAGE

    async def _start_over(self, lobby_id: str, replica: Replica) -> None:
        snapshot = await self._store.load(lobby_id)
        if replica.gone or self._replica_of.get(lobby_id) is not replica:
            return
        replica.start_over(snapshot)
        if self.listener is None:
            return
        if replica.gone:
            self.listener.gone(lobby_id)
        else:
            self.listener.reset(lobby_id, snapshot)
            self._expect_expiry(lobby_id, replica)

    def _expect_expiry(self, lobby_id: str, replica: Replica) -> None:
        if replica.finished and replica.expiring is None:
            replica.expiring = self._spawn(self._await_expiry(lobby_id, replica))

    async def _await_expiry(self, lobby_id: str, replica: Replica) -> None:
        """Start over when the store lets go of the lobby, which it tells nobody."""
        while not replica.gone:
            try:
                left_seconds = await self._store.seconds_left(lobby_id)
                if left_seconds == 0:
                    await self._start_over(lobby_id, replica)
            except StoreUnavailable:
                left_seconds = _RETRY_SECONDS
            await asyncio.sleep(min(max(left_seconds, _RETRY_SECONDS), _EXPIRY_LOOK_SECONDS))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
