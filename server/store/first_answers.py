"""Asking several nodes at once, of which any may be away."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, Final, TypeVar

from server.store.errors import LOST, StoreUnavailable, WrongTopology

OTHERS_SECONDS: Final = 0.1
"""So long the others have when one has answered."""

T = TypeVar("T")


async def first_answers(asked: Mapping[str, Coroutine[Any, Any, T]]) -> list[T]:
    """The answers of those that are asked, by their names: the first one, and those that come soon
    after it. Raises StoreUnavailable, with the reason of the last one that failed, if none
    answers, and WrongTopology if one is not what it was taken for."""
    names = {asyncio.create_task(question): name for name, question in asked.items()}
    waiting, failed = set(names), StoreUnavailable("nobody is known who could be asked")
    answers: list[T] = []
    timeout_seconds: float | None = None
    try:
        while waiting:
            done, waiting = await asyncio.wait(
                waiting, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                break
            for task in done:
                error = task.exception()
                if error is None:
                    answers.append(task.result())
                    timeout_seconds = OTHERS_SECONDS
                elif isinstance(error, WrongTopology):
                    failed = error
                elif isinstance(error, (StoreUnavailable, *LOST)):
                    if not isinstance(failed, WrongTopology):
                        failed = StoreUnavailable(f"{names[task]} does not answer: {error}")
                else:
                    raise error
    finally:
        for task in names:
            task.add_done_callback(retrieve)
            task.cancel()
    if not answers:
        raise failed
    return answers


def retrieve(task: "asyncio.Task[Any]") -> None:
    """Take the error of a task for which nobody waits any more, so that it is not logged as
    lost."""
    if not task.cancelled():
        task.exception()
