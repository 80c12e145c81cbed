"""Locks by name, for as long as somebody uses them."""

import asyncio
from weakref import WeakValueDictionary


class Locks:
    """One lock for each name. They only spare this process useless races: what is true is settled
    by the commit, whoever else takes part."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, name: str) -> asyncio.Lock:
        """The lock of that name; the same for all who ask while one of them keeps it."""
        lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = asyncio.Lock()
        return lock
