import asyncio
import gc

from server.garbage import collect_often
from tests.support.wait import until


async def test_what_is_new_does_not_pile_up_until_one_pass_takes_long() -> None:
    gc.disable()  # whatever is made here must not lead to a pass
    made: list[list[int]] = [[] for _ in range(5_000)]

    def seen_as_new() -> int:
        new = {id(one) for age in (0, 1) for one in gc.get_objects(generation=age)}
        return sum(id(one) in new for one in made)

    collecting = asyncio.create_task(collect_often(0.001))
    try:
        assert seen_as_new() == 5_000
        await until(lambda: seen_as_new() == 0)
    finally:
        gc.enable()
        collecting.cancel()
