"""One clock for every server: the store's, estimated between its answers."""

import time
from collections.abc import Callable
from typing import Final

SET_BACK_MS: Final = 1_000


class StoreClock:
    """The store's Unix time, kept running between answers by the monotonic clock.

    Every answer that carries the store's time bounds the difference between the two clocks: the
    store read its time after the request was sent and before the answer came. The estimate is
    moved into those bounds and no further, so a slow answer cannot spoil it, and a process whose
    wall clock is wrong, or that was stopped for a while, does not notice. Only before the first
    answer is that wall clock all there is.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._synced = False
        self.set_backs = 0
        """How often the store's clock was seen to be set back."""
        self._offset_ms = time.time() * 1000 - self.monotonic_ms()

    def monotonic_ms(self) -> float:
        """Milliseconds of the local monotonic clock, for `observe`."""
        return self._monotonic() * 1000

    def observe(self, store_ms: float, sent_ms: float, received_ms: float) -> None:
        """Take note of the store's Unix time `store_ms`, answered to a request that was sent and
        answered at these instants of `monotonic_ms`."""
        at_least, at_most = store_ms - received_ms, store_ms - sent_ms
        if self._synced:
            self.set_backs += at_most < self._offset_ms - SET_BACK_MS
            self._offset_ms = min(max(self._offset_ms, at_least), at_most)
        else:
            self._synced = True
            self._offset_ms = (at_least + at_most) / 2

    def now_ms(self) -> float:
        """The store's Unix time in milliseconds, with microseconds as its fraction."""
        # To whole microseconds, as `round` would, which makes a text of it on the way.
        microseconds = (self.monotonic_ms() + self._offset_ms) * 1000
        return (microseconds + 0.5) // 1 / 1000

    def now_s(self) -> float:
        """The store's Unix time in seconds."""
        return self.now_ms() / 1000
