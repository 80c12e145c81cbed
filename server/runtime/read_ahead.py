"""Reading ahead: the next part is on its way while the one before is used."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Generic, Self, TypeVar

from server.runtime.tasks import end

Part = TypeVar("Part")
Found = TypeVar("Found")


class ReadAhead(Generic[Part, Found]):
    """Iterates over what `read` finds for each of the parts, in their order, one ahead of whoever
    asks, from the beginning of the context on. When that ends, reading does. What `read` raises is
    raised where what it was to find is asked for."""

    def __init__(
        self, read: Callable[[Part], Coroutine[Any, Any, Found]], parts: Iterable[Part]
    ) -> None:
        self._read = read
        self._parts = iter(parts)
        self._reading: asyncio.Task[Found] | None = None

    async def __aenter__(self) -> Self:
        self._read_next()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._reading is not None:
            await end(self._reading)
            if not self._reading.cancelled():
                self._reading.exception()  # nobody asked for it: it is not to be reported

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Found:
        if self._reading is None:
            raise StopAsyncIteration
        found = await self._reading
        self._read_next()
        return found

    def _read_next(self) -> None:
        self._reading = None
        for part in self._parts:
            self._reading = asyncio.create_task(self._read(part))
            return
