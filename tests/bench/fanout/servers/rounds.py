"""What the servers in Python have in common."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop

from tests.bench.fanout.work import event_data


def announce(port: int) -> None:
    """Print the port, by which the benchmark knows that it can connect."""
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


async def play(play_round: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    """Call `play_round` with the next event's data for each byte of standard input, until that
    ends. Each round has a pass of the event loop of its own, so that no transport can write two of
    them by one system call."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    number = 0
    while await reader.read(1):
        await play_round(event_data(number))
        await asyncio.sleep(0)
        number += 1


def run(serve: Callable[[], Awaitable[None]]) -> None:
    """Run a server on the event loop that production uses."""

    async def served() -> None:
        await serve()

    uvloop.run(served())
