"""Locks by name, each kept for as long as it is used."""

import asyncio
from types import TracebackType
from typing import Final

from server.store.errors import StoreUnavailable

HANGING_SECONDS: Final = 1.0
"""Shorter than the timeout of a command to the store."""


class _Lock(asyncio.Lock):
    hangs = 0
    users = 0


class Locks:
    """One lock for each name. They only spare this process needless conflicts: correctness is the
    commit's, which other processes take part in as well."""

    def __init__(self, hanging_seconds: float = HANGING_SECONDS) -> None:
        self._hanging_seconds = hanging_seconds
        self._locks: dict[str, _Lock] = {}

    def hold(self, name: str) -> "_Hold":
        """Hold the lock of that name, as an asynchronous context manager.

        Raises StoreUnavailable if a holder before us, while we waited, did so after
        `hanging_seconds` or more: otherwise, while the store hangs, all who wait would wait for its
        timeout one after the other. After a failure that came at once the next one tries.
        """
        return _Hold(self._locks, name, self._hanging_seconds)


class _Hold:
    # A class: `asynccontextmanager` would create a generator and one more object for each commit.
    __slots__ = ("_hanging_seconds", "_lock", "_locks", "_name", "_since_s")

    def __init__(self, locks: dict[str, _Lock], name: str, hanging_seconds: float) -> None:
        self._locks = locks
        self._name = name
        self._hanging_seconds = hanging_seconds

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
            raise StoreUnavailable("no answer to the one before in the queue")
        self._since_s = asyncio.get_running_loop().time()

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
        return asyncio.get_running_loop().time() - self._since_s >= self._hanging_seconds

    def _release(self) -> None:
        self._lock.release()
        self._forget()

    def _forget(self) -> None:
        self._lock.users -= 1
        if not self._lock.users:
            del self._locks[self._name]
