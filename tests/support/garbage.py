"""Whether objects are freed by their reference counts, without the garbage collector."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collector() -> Iterator[None]:
    """Disable the collector, and set aside for good what was there before, for `alive`."""
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def alive(*kinds: type) -> int:
    """How many objects of these types have been created since then, and are not freed."""
    return sum(issubclass(type(one), kinds) for one in gc.get_objects())
