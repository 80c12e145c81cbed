"""When to try again what failed."""

import secrets
from typing import Final

FIRST_SECONDS: Final = 1.0
MOST_SECONDS: Final = 8.0
_GRAINS: Final = 1 << 32


class Backoff:
    """Waits between attempts: at random up to a limit that doubles, from the first one on, so that
    those whom one fault has hit do not all come back at the same instant."""

    __slots__ = ("_failures",)

    def __init__(self) -> None:
        self._failures = 0

    def next_seconds(self) -> float:
        """How long to wait before the next attempt."""
        most = min(MOST_SECONDS, FIRST_SECONDS * 2.0**self._failures)
        self._failures = min(self._failures + 1, 16)
        return most * secrets.randbelow(_GRAINS) / _GRAINS

    def reset(self) -> None:
        """It went well: the next fault is a new one."""
        self._failures = 0
