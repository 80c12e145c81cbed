"""Lobby replicas: the lobbies that this node has sockets for, as of the last commit known here.

A replica subscribes first and loads then, applies each commit once and in order, and fills a gap
from the lobby's log before it applies anything later.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, Final

import structlog

from protocol.views import Status
from server.runtime.metrics import Metrics
from server.runtime.tasks import end
from server.services.expiry import ExpiryWatch
from server.services.locks import Locks
from server.services.replica import Replica, ReplicaListener
from server.store import keys
from server.store.errors import NotUnderstood, StoreUnavailable
from server.store.lobbies import LobbyStore
from server.store.log import Record, Snapshot, commit_header, decode_invoice_change
from server.store.subscription import Subscription

_PAGE: Final = 1_000
_RETRY_SECONDS: Final = 0.5

log = structlog.get_logger(__name__)


class LobbyReplicas:
    """Keeps the replicas current, and notifies the listener of every change."""

    def __init__(self, store: LobbyStore, subscription: Subscription, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics
        self._subscription = subscription
        self._replica_of: dict[str, Replica] = {}
        self._locks = Locks()
        self._tasks: set[asyncio.Task[None]] = set()
        self._expiry = ExpiryWatch(store, self._expired)
        self.listener: ReplicaListener | None = None

    def snapshot(self, lobby_id: str) -> Snapshot | None:
        """The lobby as this node knows it; None if it has no replica of it, or it is gone."""
        replica = self._replica_of.get(lobby_id)
        return None if replica is None or replica.gone else replica.snapshot

    def statuses(self) -> Iterable[tuple[int, Status]]:
        """The tier and the status of each lobby that there is a replica of."""
        for replica in self._replica_of.values():
            lobby = replica.snapshot.lobby
            if lobby is not None:
                yield lobby.buy_in_amount, lobby.status

    def recent(self, lobby_id: str) -> Sequence[Record]:
        """The last records that were sent to the lobby's room, oldest first, without a gap."""
        replica = self._replica_of.get(lobby_id)
        return () if replica is None else tuple(replica.recent)

    async def acquire(self, lobby_id: str) -> bool:
        """Have a replica of a lobby; False if there is no such lobby. Each success needs a
        `release`. Raises StoreUnavailable."""
        async with self._locks.hold(lobby_id):
            replica = self._replica_of.get(lobby_id)
            if replica is None:
                return await self._start(lobby_id)
            if replica.gone:
                return False
            replica.users += 1
            return True

    def release(self, lobby_id: str) -> None:
        """Undo one `acquire`; after the last one the replica is dropped."""
        replica = self._replica_of[lobby_id]
        replica.users -= 1
        if replica.users == 0:
            del self._replica_of[lobby_id]
            self._subscription.unsubscribe(keys.events(lobby_id))
            self._expiry.unwatch(lobby_id)

    def expect(self, lobby_id: str, after: Snapshot, records: Sequence[Record]) -> None:
        """This node is about to commit these records: if the published commit arrives before the
        store's answer, it need not be decoded."""
        replica = self._replica_of.get(lobby_id)
        if replica is not None:
            replica.expected = (after, records)

    def committed(self, lobby_id: str, after: Snapshot, records: Sequence[Record]) -> None:
        """Apply a commit of this node, which is also published."""
        replica = self._replica_of.get(lobby_id)
        if replica is None or replica.snapshot.position.hash == after.position.hash:
            return
        if replica.is_next(records):
            self._advance(lobby_id, replica, records, after)
        else:
            self._close_gap_soon(lobby_id, replica)

    async def catch_up(self, lobby_id: str) -> None:
        """Read everything that the store has of a lobby by now, whether its messages arrived or
        not. Raises StoreUnavailable."""
        replica = self._replica_of.get(lobby_id)
        while replica is not None and await self._read_on(lobby_id, replica):
            pass

    def restore(self) -> None:
        """Catch up with every lobby: messages may have been missed."""
        for lobby_id, replica in self._replica_of.items():
            self._close_gap_soon(lobby_id, replica)

    async def close(self) -> None:
        """Stop catching up."""
        await self._expiry.close()
        await end(*self._tasks)

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
        self._subscription.redirect(channel, lambda message: self._on_message(lobby_id, message))
        for message in early:
            self._on_message(lobby_id, message)
        if self._subscription.connections != connections:
            self._close_gap_soon(lobby_id, replica)
        self._watch_expiry(lobby_id, replica)
        return True

    def _on_message(self, lobby_id: str, message: str) -> None:
        replica = self._replica_of.get(lobby_id)
        if replica is None:
            return
        alien_id = decode_invoice_change(message)
        if alien_id is not None:
            if self.listener is not None:
                self.listener.invoice_changed(lobby_id, alien_id)
            return
        try:
            version, last_hash = commit_header(message)
            if version > replica.snapshot.position.version:
                self._on_commit(lobby_id, replica, *replica.read_commit(message, last_hash))
        except NotUnderstood as error:
            log.warning("commit_not_understood", lobby_id=lobby_id, error=str(error))
            self._close_gap_soon(lobby_id, replica)

    def _on_commit(
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
        self._watch_expiry(lobby_id, replica)

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
                except NotUnderstood as error:  # nor would a retry: the next commit may
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
        """Apply the next records of the log; whether there may be more."""
        position = replica.snapshot.position
        try:
            records = await self._store.records_from(lobby_id, position, _PAGE)
        except NotUnderstood:  # written by a newer version: the lobby itself may still be readable
            records = []
        if self._replica_of.get(lobby_id) is not replica:
            return False
        if not records or records[0].position != position:
            await self._reload(lobby_id, replica)
            return False
        missed = [r for r in records if r.position.version > replica.snapshot.position.version]
        if missed and not replica.is_next(missed):
            return True  # commits were applied meanwhile, so these records do not come next
        if missed:
            self._metrics.gaps_filled.inc()
            self._advance(lobby_id, replica, missed)
        return len(records) == _PAGE

    async def _reload(self, lobby_id: str, replica: Replica) -> None:
        snapshot = await self._store.load(lobby_id)
        if replica.gone or self._replica_of.get(lobby_id) is not replica:
            return
        replica.reset(snapshot)
        if replica.gone:
            self._expiry.unwatch(lobby_id)
        if self.listener is None:
            return
        if replica.gone:
            self.listener.gone(lobby_id)
        else:
            self.listener.reset(lobby_id, snapshot)
            self._watch_expiry(lobby_id, replica)

    def _watch_expiry(self, lobby_id: str, replica: Replica) -> None:
        if replica.finished:
            self._expiry.watch(lobby_id)

    def _expired(self, lobby_id: str) -> None:
        self._close_gap_soon(lobby_id, self._replica_of[lobby_id])

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
