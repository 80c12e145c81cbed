"""What a server has to grant. It is asked for as clients do: again, where the answer is
`unavailable` since the server or its store was held up."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final, TypeVar

import aiohttp

from protocol.errors import ErrorCode
from server.load.failures import RequestRefused
from server.load.http import post

ATTEMPTS: Final = 20
PAUSE_SECONDS: Final = 0.1
"""From one attempt to the next."""
TAKEN: Final = (
    {"success": True, "processed": True},
    {"success": True, "processed": False, "reason": "already_processed"},
)

T = TypeVar("T")


async def granted(ask: Callable[[], Awaitable[T]], if_done: str = "") -> T | None:
    """What `ask` returns in the end. None: it was refused with the code `if_done`, after an
    `unavailable` that had come although it was carried out. Raises RequestRefused."""
    for attempt in range(ATTEMPTS):
        try:
            return await ask()
        except RequestRefused as refused:
            if refused.code == if_done and attempt > 0:
                return None
            if refused.code != ErrorCode.UNAVAILABLE:
                raise
            await asyncio.sleep(PAUSE_SECONDS)
    raise RequestRefused(ErrorCode.UNAVAILABLE)


async def deliver(
    http: aiohttp.ClientSession, url: str, payload: bytes, headers: Mapping[str, str]
) -> None:
    """Deliver a payment to the webhook at `url`. Raises RequestRefused, also if the delivery does
    not pay a seat."""
    answer = await granted(partial(post, http, url, payload, headers))
    if answer not in TAKEN:
        raise RequestRefused(f"a payment was not taken: {answer}")
