"""Reading ahead: the next part is on its way while the one before is used."""

import asyncio

import pytest

from server.runtime.read_ahead import ReadAhead


async def test_parts_come_in_order_and_the_next_is_read_while_one_is_used() -> None:
    begun: list[int] = []

    async def read(part: int) -> int:
        begun.append(part)
        return part * 10

    used = []
    async with ReadAhead(read, [1, 2, 3]) as found:
        await asyncio.sleep(0)
        assert begun == [1]
        async for each in found:
            await asyncio.sleep(0)
            used.append((each, [*begun]))
    assert used == [(10, [1, 2]), (20, [1, 2, 3]), (30, [1, 2, 3])]


async def test_nothing_comes_of_no_parts() -> None:
    async def read(part: int) -> int:
        return part

    nothing: list[int] = []
    async with ReadAhead(read, nothing) as found:
        assert [each async for each in found] == []


async def test_what_reading_raises_is_raised_where_it_is_asked_for() -> None:
    async def read(part: int) -> int:
        if part == 2:
            raise LookupError("of two")
        return part

    async with ReadAhead(read, [1, 2, 3]) as found:
        assert await anext(found) == 1
        with pytest.raises(LookupError, match="of two"):
            await anext(found)


async def test_reading_ends_with_the_context() -> None:
    ended = asyncio.Event()

    async def read(_part: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with ReadAhead(read, [1]):
        await asyncio.sleep(0)
        assert not ended.is_set()
    assert ended.is_set()
