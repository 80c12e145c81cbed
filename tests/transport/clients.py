"""Clients in `/echo`, and what they receive."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from server.transport.member import Member
from tests.transport.echo_server import Server
from tests.transport.raw import RawClient


@asynccontextmanager
async def inside(
    server: Server, name: str, receive_buffer_bytes: int | None = None
) -> AsyncIterator[RawClient]:
    """A client that has joined `/echo`."""
    client = await RawClient.connect(server.port, receive_buffer_bytes=receive_buffer_bytes)
    try:
        await client.join("/echo", name)
        await client.packet()
        yield client
    finally:
        await client.close()


def member(server: Server, name: str) -> Member:
    """The one who is called so."""
    (found,) = [one for one in server.echo.inside if one.alien_id == name]
    return found


def waiting_bytes(one: Member) -> int:
    """What the kernel has not taken yet of what was sent to a member."""
    return one.session._transport.get_write_buffer_size()


def news(number: int, filling: int) -> bytes:
    """The data of an event of about `filling` bytes."""
    return json.dumps({"number": number, "filling": "x" * filling}).encode()


async def numbers_until_end(client: RawClient, pause_seconds: float = 0.0) -> list[Any]:
    """The numbers of what comes up to the event `end`; of acknowledgements their id. The client
    rests so long after each."""
    received: list[Any] = []
    while True:
        packet = await client.packet()
        if packet.startswith("43"):
            received.append(int(packet.removeprefix("43/echo,").partition("[")[0]))
        else:
            event, data = json.loads(packet.removeprefix("42/echo,"))
            if event == "end":
                return received
            received.append(data["number"])
        if pause_seconds:
            await asyncio.sleep(pause_seconds)
