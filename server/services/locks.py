"""Locks by name, for as long as somebody uses them."""

import asyncio
from types import TracebackType
from typing import Final

from server.store.errors import StoreUnavailable

HANGING_SECONDS: Final = 1.0
"""Less than the time after which a command to the store is given up."""


class _Lock(asyncio.Lock):
    hangs = 0
    users = 0


class Locks:
    """One lock for each name. They only spare this process useless races: what is true is settled
    by the commit, whoever else takes part."""

    def __init__(self) -> None:
        self._locks: dict[str, _Lock] = {}

    def hold(self, name: str) -> "_Hold":
        """Keep the lock of that name, as an asynchronous context manager.

        Raises StoreUnavailable when somebody who kept it while we waited did, after
        `HANGING_SECONDS` or more: while the store hangs, each in the line would else wait for it
        in turn. A failure that came at once keeps nobody from trying.
        """
        return _Hold(self._locks, name)


class _Hold:
    # A class, since `asynccontextmanager` makes a generator and an object more for each commit.
    __slots__ = ("_lock", "_locks", "_name", "_since")

    def __init__(self, locks: dict[str, _Lock], name: str) -> None:
        self._locks = locks
        self._name = name

    async def __aenter__(self) -> None:
        self._lock = self._locks.setdefault(self._name, _Lock())
        self._lock.users += 1
        hangs = self._lock.hangs
        try:
            await self._lock.acquire()
        except BaseException:
            self._forget()
            raise
        if self._lock.hangs > hangs:
            self._release()
            raise StoreUnavailable("no answer to whoever asked before")
        self._since = asyncio.get_running_loop().time()

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, StoreUnavailable) and self._has_hung():
            self._lock.hangs += 1
        self._release()

    def _has_hung(self) -> bool:
        return asyncio.get_running_loop().time() - self._since >= HANGING_SECONDS

    def _release(self) -> None:
        self._lock.release()
        self._forget()

    def _forget(self) -> None:
        self._lock.users -= 1
        if not self._lock.users:
            del self._locks[self._name]
