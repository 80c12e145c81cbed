"""The tables that ever opened a lobby: the store's set of them, and what this process knows of it.

The settings say what is offered, not what exists: the lobbies, invoices and debts of a tier that is
withdrawn are there all the same.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

import structlog

from protocol.ids import is_lobby_id, lobby_id, table_tier
from server.store import keys
from server.store.connection import Connection
from server.store.errors import StoreUnavailable

log = structlog.get_logger(__name__)


class Tables:
    """The tables of the store. `own`: those that this process may open lobbies of. `prepare`: what
    is to be done with a table after the store names it, and before anything is written of it."""

    def __init__(
        self,
        connection: Connection,
        own: Iterable[str] = (),
        prepare: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self._connection = connection
        self._prepare = prepare
        self._known = dict.fromkeys(own)
        self._noted: set[str] = set()
        self._named: set[str] = set()
        self._noting: asyncio.Task[None] | None = None
        self.on_found: list[Callable[[], None]] = []
        """Each is called when there are tables that were not known before."""

    @property
    def known(self) -> Sequence[str]:
        """All tables that this process knows of: its own, and then the others."""
        return tuple(self._known)

    def of_tier(self, tier: int) -> list[str]:
        """The tables of one tier that this process knows of."""
        return [table for table in self._known if table_tier(table) == tier]

    async def note(self, table: str) -> None:
        """Have the store name a table, which costs nothing after the first time. Whatever is
        written of a table is written after this: in a cluster the set is in another slot, so no
        commit can have both. Raises StoreUnavailable."""
        if table not in self._noted:
            await self._connection.call("SADD", keys.TABLES, table)
            if self._prepare is not None:
                await self._prepare(table)
            self._noted.add(table)
            self._known[table] = None

    def note_soon(self, table: str) -> None:
        """Like `note`, but nobody waits for it: a table that has a lobby was named before that
        opened, and what has the names may be away while the table is not."""
        if table not in self._noted and self._noting is None:
            self._noting = asyncio.create_task(self._try_to_note(table))

    async def _try_to_note(self, table: str) -> None:
        try:
            await self.note(table)
        except StoreUnavailable as error:
            log.info("table_not_noted", table=table, error=str(error))
        finally:
            self._noting = None

    async def read(self) -> Sequence[str]:
        """Ask the store, and return all tables known then; what can be the name of none is left
        alone. Raises StoreUnavailable."""
        named = set(await self._connection.call("SMEMBERS", keys.TABLES))
        if named != self._named:
            self._named = named
            self._find(table for table in named if is_lobby_id(lobby_id(table, bytes(6))))
        return self.known

    async def _note_known(self) -> None:
        """Have what is to be done with a table done early: later, what it takes may be away."""
        unnoted = [table for table in self._known if table not in self._noted]
        for table, error in zip(
            unnoted,
            await asyncio.gather(*map(self.note, unnoted), return_exceptions=True),
            strict=True,
        ):
            if isinstance(error, StoreUnavailable):
                log.info("table_not_noted", table=table, error=str(error))
            elif error is not None:
                raise error

    def _find(self, tables: Iterable[str]) -> None:
        new = sorted(set(tables) - self._known.keys(), key=lambda table: (len(table), table))
        self._known |= dict.fromkeys(new)
        if new:
            for found in self.on_found:
                found()

    async def refresh(self) -> Sequence[str]:
        """Like `read`, and have the store name the tables that this process knows already: an
        earlier version may have opened lobbies without naming their tables, and a store that was
        restored from an older state may have lost some names. Raises StoreUnavailable."""
        if self._known:
            await self._connection.call("SADD", keys.TABLES, *self._known)
            await self._note_known()
        return await self.read()
