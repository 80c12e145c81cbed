"""The cache of forming lobbies that the front desk lists, kept current by the store's messages.

It holds their public views as they stand in JSON: each change comes here from every server, and
what is passed on as it came needs no model.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

import orjson
import structlog

from protocol.ids import lobby_table
from server.rules.views import Fields, public_fields
from server.services.published_views import read_view
from server.store import keys
from server.store.directory import Directory
from server.store.errors import NotUnderstood, StoreUnavailable
from server.store.lobbies import LobbyStore
from server.store.log import LOG_START, Snapshot
from server.store.subscription import Subscription

_RETRY_SECONDS: Final = 0.5

log = structlog.get_logger(__name__)


class FormingLobbies:
    """The forming lobbies of all `tables` that there are at the time. While open, the cache is kept
    current, and calls `on_change` with every change and `on_reset` when earlier changes no longer
    hold, because the store has lost some of them. While closed, it is empty and does no work."""

    def __init__(
        self,
        store: LobbyStore,
        directory: Directory,
        subscription: Subscription,
        tables: Callable[[], Collection[str]],
        on_change: Callable[[Fields], None],
        on_reset: Callable[[], None],
    ) -> None:
        self._store = store
        self._directory = directory
        self._subscription = subscription
        self._tables = tables
        self._on_change = on_change
        self._on_reset = on_reset
        self._lobbies: dict[str, Fields] = {}
        self._json: dict[str, bytes] = {}  # of each of them, for all visitors
        self._unknown: dict[str, Mapping[str, Any]] = {}  # last messages on lobbies to look up
        self._lookups: set[asyncio.Task[None]] = set()
        self._closed: frozenset[int] = frozenset()
        self._open = False
        self._heard: set[str] = set()  # tables whose messages come
        self._outdated: set[str] = set()
        self._restoring: asyncio.Task[None] | None = None
        self._reloading = asyncio.Lock()
        self._received: dict[str, Fields] = {}  # by messages, during a reload

    async def open(self) -> None:
        """Subscribe to the front desks of all tables, and load what forms. Tables that do not
        answer are tried again; if none does, it raises StoreUnavailable, and the cache is closed.
        """
        self._open = True
        try:
            tables = set(self._tables())
            unread = await self._reload(tables)
            if unread == tables:
                raise StoreUnavailable("no table answers")
            self._reload_soon(unread)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Unsubscribe, and empty the cache."""
        self._open = False
        for table in self._heard:
            self._subscription.unsubscribe(keys.front_desk(table))
        self._heard.clear()
        self._lobbies.clear()
        self._json.clear()
        self._unknown.clear()

    def restore(self) -> None:
        """Read everything anew, as soon as the store answers: messages may have been missed."""
        self._reload_soon(self._tables())

    def close_tiers(self, tiers: frozenset[int]) -> None:
        """From now on these tiers, and no others, are closed: nobody may join what forms there."""
        self._closed = tiers
        self._on_reset()

    def tables_found(self) -> None:
        """There are more tables than before: read what forms there."""
        self._reload_soon(set(self._tables()) - self._heard)

    def _reload_soon(self, tables: Iterable[str]) -> None:
        self._outdated |= set(tables) if self._open else set()
        if self._outdated and self._restoring is None:
            self._restoring = asyncio.create_task(self._restore())

    async def _restore(self) -> None:
        try:
            while self._open and self._outdated:
                tables, self._outdated = self._outdated, set()
                unread = await self._reload(tables)
                if unread:
                    self._outdated |= unread
                    await asyncio.sleep(_RETRY_SECONDS)
        finally:
            self._restoring = None
            self._outdated.clear()

    async def _reload(self, tables: Collection[str]) -> set[str]:
        """Read these tables anew, all at once. Returns those that do not answer."""
        async with self._reloading:
            self._received.clear()
            looks = await asyncio.gather(*map(self._reload_table, tables), return_exceptions=True)
            unread = set()
            for table, kept in zip(tables, looks, strict=True):
                if isinstance(kept, StoreUnavailable):
                    log.warning("forming_lobbies_without_store", table=table, error=str(kept))
                    unread.add(table)
                elif isinstance(kept, BaseException):
                    raise kept
            if False in looks:
                self._on_reset()
            return unread

    async def _reload_table(self, table: str) -> bool:
        """Whether the store still has all that was known of the table."""
        if table not in self._heard:
            await self._subscription.subscribe(keys.front_desk(table), self._on_message)
            self._heard.add(table)
        if not self._open:
            self.close()
            return True
        forming = await self._directory.forming(table)
        known = (lobby_id for lobby_id in self._lobbies if lobby_table(lobby_id) == table)
        lobby_ids = {*known, *forming}
        loaded = await asyncio.gather(*map(self._load, lobby_ids))
        if not self._open:
            return True
        kept = [self._loaded(*lobby) for lobby in zip(lobby_ids, loaded, strict=True)]
        return all(kept)

    @property
    def size(self) -> int:
        """How many lobbies form."""
        return len(self._lobbies)

    async def settle(self) -> None:
        """Wait, for a limited time, until lobbies that messages named first are looked up."""
        if self._lookups:
            await asyncio.wait(self._lookups, timeout=_RETRY_SECONDS)

    def forming(self, buy_in_amount: int | None = None) -> list[Fields]:
        """The forming lobbies, of one tier if it is named, oldest first; none of a closed tier."""
        wanted = (
            view
            for view in self._lobbies.values()
            if buy_in_amount in (None, view["buy_in_amount"])
            and view["buy_in_amount"] not in self._closed
        )
        return sorted(wanted, key=lambda view: (view["created_at"], view["lobby_id"]))

    def forming_json(self) -> bytes:
        """All forming lobbies, oldest first, as a JSON array."""
        return b"[%b]" % b",".join(map(self._json_of, self.forming()))

    def _json_of(self, view: Fields) -> bytes:
        json = self._json.get(view["lobby_id"])
        if json is None:
            json = self._json[view["lobby_id"]] = orjson.dumps(view)
        return json

    def _loaded(self, lobby_id: str, snapshot: Snapshot) -> bool:
        """Store a lobby as it was loaded, unless a message brought a newer state meanwhile. Returns
        whether the store still has all that was known of it."""
        known, received = self._lobbies.get(lobby_id), self._received.get(lobby_id)
        view = received
        if snapshot.lobby is not None and (
            received is None or received["seq"] < snapshot.position.seq
        ):
            view = public_fields(snapshot.lobby, snapshot.position.seq)
        if known is not None and (view is None or view["seq"] < known["seq"]):
            self._keep(lobby_id, view)
            return False
        if view is not None and view is not received:
            self._update(view)
        return True

    async def _load(self, lobby_id: str) -> Snapshot:
        """The lobby as it is stored; none if a newer version has changed it to what this one does
        not understand and so cannot list."""
        try:
            return await self._store.load(lobby_id)
        except NotUnderstood as error:
            log.warning("lobby_not_listed", lobby_id=lobby_id, error=str(error))
            return Snapshot(None, LOG_START)

    def _on_message(self, message: str) -> None:
        fields = orjson.loads(message)
        lobby_id = fields["lobby_id"]
        known = self._lobbies.get(lobby_id)
        view = None if known is None else read_view(fields, known["rules"])
        if view is not None:
            self._receive(view)
            return
        is_new = lobby_id not in self._unknown
        self._unknown[lobby_id] = fields
        if is_new:
            lookup = asyncio.create_task(self._look_up(lobby_id))
            self._lookups.add(lookup)
            lookup.add_done_callback(self._lookups.discard)

    async def _look_up(self, lobby_id: str) -> None:
        """Load from the store the rules of a lobby, which messages do not carry; or all of it, if
        the message is not understood."""
        while lobby_id in self._unknown:
            try:
                snapshot = await self._load(lobby_id)
            except StoreUnavailable as error:
                log.warning("forming_lobbies_without_store", lobby_id=lobby_id, error=str(error))
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            fields = self._unknown.pop(lobby_id, None)
            if fields is not None and snapshot.lobby is not None:
                stored = public_fields(snapshot.lobby, snapshot.position.seq)
                # Perhaps newer than the store's answer.
                received = read_view(fields, stored["rules"])
                self._receive(max(stored, received or stored, key=lambda view: view["seq"]))
            elif lobby_id in self._lobbies:
                self._keep(lobby_id, None)
                self._on_reset()

    def _receive(self, view: Fields) -> None:
        lobby_id = view["lobby_id"]
        if self._reloading.locked():
            received = self._received.get(lobby_id)
            if received is None or received["seq"] < view["seq"]:
                self._received[lobby_id] = view
        self._update(view)

    def _update(self, view: Fields) -> None:
        known = self._lobbies.get(view["lobby_id"])
        if view == known or (known is not None and view["seq"] < known["seq"]):
            return
        self._keep(view["lobby_id"], view)
        if view["buy_in_amount"] not in self._closed:
            self._on_change(view)

    def _keep(self, lobby_id: str, view: Fields | None) -> None:
        self._json.pop(lobby_id, None)
        if view is not None and view["status"] == "forming":
            self._lobbies[lobby_id] = view
        else:
            self._lobbies.pop(lobby_id, None)
