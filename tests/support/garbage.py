"""Objects that should be gone without the garbage collector, and whether they are."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collector() -> Iterator[None]:
    """Nothing is collected, and what was there before is set aside: a process that has run other
    tests has so much that to look through it takes a second."""
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def alive(*kinds: type) -> int:
    """How many objects of these types have come since then, and are there."""
    return sum(issubclass(type(one), kinds) for one in gc.get_objects())
