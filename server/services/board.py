"""The board of the front desk: every forming lobby, as it is now."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from protocol.views import LobbyView
from server.rules.views import public_view
from server.store import keys
from server.store.directory import Directory
from server.store.errors import StoreUnavailable
from server.store.lobbies import LobbyStore
from server.store.subscription import Subscription

_RETRY_SECONDS: Final = 0.5

log = structlog.get_logger(__name__)


class Board:
    """The forming lobbies of all tables. Open, it is kept current and tells of every change;
    closed, it costs nothing."""

    def __init__(
        self,
        store: LobbyStore,
        directory: Directory,
        subscription: Subscription,
        tables: Sequence[str],
        on_change: Callable[[LobbyView], None],
    ) -> None:
        self._store = store
        self._directory = directory
        self._subscription = subscription
        self._tables = tables
        self._on_change = on_change
        self._lobbies: dict[str, LobbyView] = {}
        self._json: dict[str, str] = {}  # of each of them: many visitors are told the same
        self._open = False

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

    async def reload(self) -> None:
        """Read everything anew: messages may have been missed. Raises StoreUnavailable."""
        forming = await asyncio.gather(*map(self._directory.forming, self._tables))
        lobby_ids = {*self._lobbies, *(lobby_id for table in forming for lobby_id in table)}
        for snapshot in await asyncio.gather(*map(self._store.load, lobby_ids)):
            if snapshot.lobby is not None:
                view = public_view(snapshot.lobby, snapshot.head.seq)
                self._take(view, view.model_dump_json())

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

    def forming(self, buy_in_amount: int | None = None) -> list[LobbyView]:
        """The forming lobbies, of one tier if it is named, oldest first."""
        wanted = (v for v in self._lobbies.values() if buy_in_amount in (None, v.buy_in_amount))
        return sorted(wanted, key=lambda view: (view.created_at, view.lobby_id))

    def forming_json(self) -> str:
        """All forming lobbies, oldest first, as a JSON array."""
        return f"[{','.join(self._json[view.lobby_id] for view in self.forming())}]"

    def _said(self, said: str) -> None:
        self._take(LobbyView.model_validate_json(said), said)

    def _take(self, view: LobbyView, json: str) -> None:
        known = self._lobbies.get(view.lobby_id)
        if view == known or (known is not None and view.seq < known.seq):
            return
        if view.status == "forming":
            self._lobbies[view.lobby_id] = view
            self._json[view.lobby_id] = json
        else:
            self._lobbies.pop(view.lobby_id, None)
            self._json.pop(view.lobby_id, None)
        self._on_change(view)
