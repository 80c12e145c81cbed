"""Locks by name, for as long as somebody uses them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from server.store.errors import StoreUnavailable


class _Lock(asyncio.Lock):
    failures = 0


class Locks:
    """One lock for each name. They only spare this process useless races: what is true is settled
    by the commit, whoever else takes part."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, _Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        """Keep the lock of that name.

        Raises StoreUnavailable when somebody who kept it while we waited did: while the store
        hangs, each in the line would else wait for it in turn.
        """
        lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = _Lock()
        failures = lock.failures
        async with lock:
            if lock.failures > failures:
                raise StoreUnavailable("no answer to whoever asked before")
            try:
                yield
            except StoreUnavailable:
                lock.failures += 1
                raise
