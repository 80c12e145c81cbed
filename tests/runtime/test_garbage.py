import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from server.runtime.garbage import collect_when_grown


class Knot:
    """Keeps itself alive."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
async def test_garbage_is_collected_when_memory_has_grown_and_not_before() -> None:
    garbage = weakref.ref(Knot())
    collecting = asyncio.create_task(collect_when_grown(growth=1.1, look_seconds=0.001))

    await asyncio.sleep(0.1)
    assert garbage() is not None

    more: list[object] = []
    for _ in range(1_000):
        if garbage() is None:
            break
        more.extend(object() for _ in range(10_000))
        await asyncio.sleep(0.002)
    assert garbage() is None
    assert len(more) > 10_000
    collecting.cancel()
