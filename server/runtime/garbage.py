"""The garbage collector, kept from holding up the games.

It finds objects that keep each other alive, and of those hardly any are left behind here: none by
a connection that ends, a request, or a game. Left alone it looks for them all the same, among all
that is new, and the calls wait: with 18,000 players for up to 84 ms, and that often.
"""

import asyncio
import gc
import sys
from typing import Final

_LOOK_SECONDS: Final = 1.0
_GROWTH: Final = 2.0


def freeze_heap() -> None:
    """Exempt all objects that there are by now, which live as long as the process, from collection;
    all others are collected only when `collect_when_grown` does so."""
    gc.collect()
    gc.freeze()
    gc.disable()


async def collect_when_grown(growth: float = _GROWTH, look_seconds: float = _LOOK_SECONDS) -> None:
    """Look at everything whenever memory has grown by the factor `growth` since the last time,
    until cancelled: so there is never more garbage than that."""
    enough = growth * sys.getallocatedblocks()
    while True:
        await asyncio.sleep(look_seconds)
        if sys.getallocatedblocks() > enough:
            gc.collect()
            enough = growth * sys.getallocatedblocks()
