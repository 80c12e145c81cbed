"""The board of the front desk: every forming lobby, as it is now."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson
import structlog
from pydantic import ValidationError

from protocol.views import LobbyView, Rules
from server.rules.views import public_view
from server.store import keys
from server.store.directory import Directory
from server.store.errors import NotUnderstood, StoreUnavailable
from server.store.lobbies import LobbyStore
from server.store.log import LOG_START, Snapshot
from server.store.subscription import Subscription

_RETRY_SECONDS: Final = 0.5

log = structlog.get_logger(__name__)


class FormingLobbies:
    """The forming lobbies of all tables. Open, it is kept current and tells of every change, or
    that what it told no longer holds, since the store has lost some of it; closed, it costs
    nothing."""

    def __init__(
        self,
        store: LobbyStore,
        directory: Directory,
        subscription: Subscription,
        tables: Sequence[str],
        on_change: Callable[[LobbyView], None],
        on_restart: Callable[[], None],
    ) -> None:
        self._store = store
        self._directory = directory
        self._subscription = subscription
        self._tables = tables
        self._on_change = on_change
        self._on_restart = on_restart
        self._lobbies: dict[str, LobbyView] = {}
        self._json: dict[str, str] = {}  # of each of them: many visitors are told the same
        self._unknown: dict[str, Mapping[str, Any]] = {}  # what was said last of lobbies to look up
        self._lookups: set[asyncio.Task[None]] = set()
        self._open = False
        self._reloading = asyncio.Lock()
        self._heard: dict[str, LobbyView] = {}  # while everything is read anew

    async def open(self) -> None:
        """Follow the front desks of all tables. Raises StoreUnavailable, and is closed then."""
        self._open = True
        try:
            for table in self._tables:
                await self._subscription.subscribe(keys.front_desk(table), self._said)
            await self.reload()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Follow nothing and know nothing."""
        self._open = False
        for table in self._tables:
            self._subscription.unsubscribe(keys.front_desk(table))
        self._lobbies.clear()
        self._json.clear()
        self._unknown.clear()

    async def reload(self) -> None:
        """Read everything anew: messages may have been missed. Raises StoreUnavailable."""
        async with self._reloading:
            self._heard.clear()
            forming = await asyncio.gather(*map(self._directory.forming, self._tables))
            lobby_ids = {*self._lobbies, *(lobby_id for table in forming for lobby_id in table)}
            loaded = await asyncio.gather(*map(self._load, lobby_ids))
            if not self._open:
                return
            kept = [self._loaded(*lobby) for lobby in zip(lobby_ids, loaded, strict=True)]
            if not all(kept):
                self._on_restart()

    async def restore(self) -> None:
        """Read everything anew if the board is open, as soon as the store answers."""
        while self._open:
            try:
                await self.reload()
            except StoreUnavailable as error:
                log.warning("board_not_reloaded_yet", error=str(error))
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return

    @property
    def size(self) -> int:
        """How many lobbies form."""
        return len(self._lobbies)

    async def settle(self) -> None:
        """Give what was heard of new lobbies the time to be looked up."""
        if self._lookups:
            await asyncio.wait(self._lookups, timeout=_RETRY_SECONDS)

    def forming(self, buy_in_amount: int | None = None) -> list[LobbyView]:
        """The forming lobbies, of one tier if it is named, oldest first."""
        wanted = (v for v in self._lobbies.values() if buy_in_amount in (None, v.buy_in_amount))
        return sorted(wanted, key=lambda view: (view.created_at, view.lobby_id))

    def forming_json(self) -> str:
        """All forming lobbies, oldest first, as a JSON array."""
        return f"[{','.join(map(self._json_of, self.forming()))}]"

    def _json_of(self, view: LobbyView) -> str:
        json = self._json.get(view.lobby_id)
        if json is None:
            json = self._json[view.lobby_id] = view.model_dump_json()
        return json

    def _loaded(self, lobby_id: str, snapshot: Snapshot) -> bool:
        """Take a lobby as it was loaded, unless it was heard of meanwhile. Returns whether the
        store still has all that was known of it."""
        known, heard = self._lobbies.get(lobby_id), self._heard.get(lobby_id)
        view = heard
        if snapshot.lobby is not None and (heard is None or heard.seq < snapshot.position.seq):
            view = public_view(snapshot.lobby, snapshot.position.seq)
        if known is not None and (view is None or view.seq < known.seq):
            self._keep(lobby_id, view)
            return False
        if view is not None and view is not heard:
            self._take(view)
        return True

    async def _load(self, lobby_id: str) -> Snapshot:
        """The lobby as it is stored; one that a newer version made something else of is none of
        those that can be listed here."""
        try:
            return await self._store.load(lobby_id)
        except NotUnderstood as error:
            log.warning("lobby_not_listed", lobby_id=lobby_id, error=str(error))
            return Snapshot(None, LOG_START)

    def _said(self, said: str) -> None:
        fields = orjson.loads(said)
        lobby_id = fields["lobby_id"]
        known = self._lobbies.get(lobby_id)
        heard = None if known is None else _view(fields, known.rules)
        if heard is not None:
            self._hear(heard)
            return
        is_new = lobby_id not in self._unknown
        self._unknown[lobby_id] = fields
        if is_new:
            lookup = asyncio.create_task(self._look_up(lobby_id))
            self._lookups.add(lookup)
            lookup.add_done_callback(self._lookups.discard)

    async def _look_up(self, lobby_id: str) -> None:
        """Learn from the store what a lobby plays by, for nobody says it; or all of it, if what was
        said is not understood."""
        while lobby_id in self._unknown:
            try:
                snapshot = await self._load(lobby_id)
            except StoreUnavailable as error:
                log.warning("board_without_store", lobby_id=lobby_id, error=str(error))
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            said = self._unknown.pop(lobby_id, None)
            if said is not None and snapshot.lobby is not None:
                stored = public_view(snapshot.lobby, snapshot.position.seq)
                heard = _view(said, stored.rules)  # perhaps after the store's answer
                self._hear(max(stored, heard or stored, key=lambda view: view.seq))
            elif lobby_id in self._lobbies:
                self._keep(lobby_id, None)
                self._on_restart()

    def _hear(self, view: LobbyView) -> None:
        if self._reloading.locked():
            heard = self._heard.get(view.lobby_id)
            if heard is None or heard.seq < view.seq:
                self._heard[view.lobby_id] = view
        self._take(view)

    def _take(self, view: LobbyView) -> None:
        known = self._lobbies.get(view.lobby_id)
        if view == known or (known is not None and view.seq < known.seq):
            return
        self._keep(view.lobby_id, view)
        self._on_change(view)

    def _keep(self, lobby_id: str, view: LobbyView | None) -> None:
        self._json.pop(lobby_id, None)
        if view is not None and view.status == "forming":
            self._lobbies[lobby_id] = view
        else:
            self._lobbies.pop(lobby_id, None)


def _view(said: Mapping[str, Any], rules: Rules) -> LobbyView | None:
    """A view as it was published, by a version that may say more or less than this one; None if it
    is not understood."""
    try:
        return LobbyView.model_validate({**said, "rules": rules}, extra="ignore")
    except ValidationError as error:
        log.warning("listing_not_understood", problems=error.error_count())
        return None
