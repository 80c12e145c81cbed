"""The operator watch: what operators ordered, as far as this process's sockets have to know, and
what was interrupted on its way to the tables or into the log."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Final

import structlog
from pydantic import ValidationError

from protocol.to_client import Announcement
from server.rules.operator_chain import LogEntry
from server.runtime.clock import StoreClock
from server.runtime.tasks import end
from server.services.announcements import standing_announcements
from server.services.operator_orders import closed_tiers
from server.store import keys
from server.store.errors import StoreUnavailable
from server.store.operator_log import OperatorLog
from server.store.restrictions import Restrictions
from server.store.subscription import Subscription
from server.store.tables import Tables

LOOK_SECONDS: Final = 5.0
"""A message may be lost, and a process that began something may die."""
_RETRY_SECONDS: Final = 0.5

log = structlog.get_logger(__name__)


class OperatorWatch:
    """Reads the operators' log on from where it was when this process began, whether its messages
    arrived or not. `on_announcement` is called for each announcement once, `on_tiers` when other
    tiers are closed than before."""

    def __init__(
        self,
        operator_log: OperatorLog,
        restrictions: Restrictions,
        tables: Tables,
        subscription: Subscription,
        clock: StoreClock,
    ) -> None:
        self._log = operator_log
        self._restrictions = restrictions
        self._tables = tables
        self._subscription = subscription
        self._clock = clock
        self._seen: int | None = None
        self._standing: list[Announcement] = []
        self._news = asyncio.Event()
        self._reading = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self.closed: frozenset[int] = frozenset()
        self.on_announcement: Callable[[Announcement], None] = lambda _said: None
        self.on_tiers: Callable[[], None] = lambda: None

    def standing(self) -> list[Announcement]:
        """The announcements that stand now."""
        now_ms = self._clock.now_ms()
        return [each for each in self._standing if each.until is not None and each.until > now_ms]

    async def begin(self) -> None:
        """Learn what holds, and bring every table to it: before anyone is seated by this process.
        Raises StoreUnavailable."""
        await self._tables.read()
        await self.catch_up()

    def start(self) -> None:
        """Begin to watch."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Watch no more."""
        await end(self._task)

    def look(self) -> None:
        """Look at once: messages may have been missed."""
        self._news.set()

    async def catch_up(self) -> None:
        """Read what is new by now, and finish what others began. Raises StoreUnavailable."""
        async with self._reading:
            await self._at_tables(self._log.empty_outbox)
            head = await self._log.head()
            if self._seen != head.number:
                await self._read(head.number)
            await self._at_tables(partial(self._restrictions.bring_up, version=head.version))

    async def _at_tables(self, finish: Callable[[str], Awaitable[object]]) -> None:
        """A table that cannot be had seats nobody either; a later look finishes what is left."""
        tables = self._tables.known
        done = await asyncio.gather(*map(finish, tables), return_exceptions=True)
        for table, outcome in zip(tables, done, strict=True):
            if isinstance(outcome, StoreUnavailable):
                log.warning("table_not_brought_up", table=table, error=str(outcome))
            elif isinstance(outcome, BaseException):
                raise outcome

    async def _read(self, number: int) -> None:
        # The store may have gone back in time: then nothing is new.
        is_back = self._seen is None or self._seen > number
        entries = [] if is_back else await self._log.entries(self._seen or 0)
        master = await self._restrictions.master()
        closed, self._standing = closed_tiers(master), standing_announcements(master)
        self._seen = entries[-1].id if entries else number
        for entry in entries:
            self._notify(entry)
        if closed != self.closed:
            self.closed = closed
            self.on_tiers()

    def _notify(self, entry: LogEntry) -> None:
        announcement = _announcement(entry)
        if announcement is not None and (
            announcement.until is None or announcement.until > self._clock.now_ms()
        ):
            self.on_announcement(announcement)

    async def _run(self) -> None:
        subscribed = False
        while True:
            try:
                if not subscribed:
                    await self._subscription.subscribe(keys.OPERATORS, lambda _number: self.look())
                    subscribed = True
                await self.catch_up()
            except StoreUnavailable as error:
                log.warning("operator_watch_without_store", error=str(error))
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            except Exception:
                log.exception("operator_watch_failed")  # a later look may do better
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._news.wait()
            self._news.clear()


def _announcement(entry: LogEntry) -> Announcement | None:
    if entry.action != "announce":
        return None
    try:
        details = entry.details or {}
        return Announcement(text=entry.target, level=details["level"], until=details["until"])
    except (LookupError, ValidationError):
        log.warning("announcement_not_understood", entry=entry.id)
        return None
