"""The garbage collector, kept from holding up the games.

Left alone, it looks at what is new once so many more objects were made than dropped. Where players
come and go they balance, so what is new piles up, and one pass over all of it takes tenths of a
second in which no number is called. Many small passes cost the same and nobody notices them.
"""

import asyncio
import gc
from resource import RUSAGE_SELF, getrusage
from typing import Final

_PASS_SECONDS: Final = 0.5
_GROWTH: Final = 2
"""A pass over everything may take a second with many thousands of players. So there is one only
when memory has grown by this factor since the last: there is never more garbage than that."""
_NEVER: Final = 2**31 - 1


def spare_what_stays() -> None:
    """Never look again at what there is by now, it lives as long as the process; and at everything
    else only when `collect_often` says so."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, _NEVER)


async def collect_often(pass_seconds: float = _PASS_SECONDS) -> None:
    """Look at what is new so often that it is little, until cancelled."""
    enough = _GROWTH * _peak_memory()
    while True:
        await asyncio.sleep(pass_seconds)
        if _peak_memory() < enough:
            gc.collect(1)
        else:
            gc.collect()
            enough = _GROWTH * _peak_memory()


def _peak_memory() -> int:
    """In a unit of the platform's. `sys.getallocatedblocks` would walk through all memory."""
    return getrusage(RUSAGE_SELF).ru_maxrss
