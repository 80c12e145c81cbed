"""Whether objects are freed by their reference counts, without the garbage collector."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collector() -> Iterator[None]:
    """Disable the collector, and set aside what was there before: in a process that has run other
    tests that is so much that to look through it takes a second."""
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def alive(*kinds: type) -> int:
    """How many objects of these types have been created since then, and are not freed."""
    return sum(issubclass(type(one), kinds) for one in gc.get_objects())
