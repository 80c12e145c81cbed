"""The garbage collector, kept from holding up the games.

Left alone, it looks at what is new once so many more objects were made than dropped. Where players
come and go they balance, so what is new piles up, and one pass over all of it takes tenths of a
second in which no number is called. Many small passes cost the same and nobody notices them.
"""

import asyncio
import gc
from typing import Final

_PASS_SECONDS: Final = 0.25
_FULL_AFTER_PASSES: Final = 14_400
"""A pass over everything takes a second with many thousands of players, and finds next to nothing:
what goes round in circles is dropped young. So once an hour has to do."""


def spare_what_stays() -> None:
    """Never look again at what there is by now: it lives as long as the process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, _FULL_AFTER_PASSES)


async def collect_often(pass_seconds: float = _PASS_SECONDS) -> None:
    """Look at what is new so often that it is little, until cancelled."""
    while True:
        await asyncio.sleep(pass_seconds)
        gc.collect(1)
