"""Clients that stop in the middle of a conversation, and say nothing more."""

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Final

import pytest

from protocol.ids import FRONT_DESK
from tests.fuzz.attacker import tcp
from tests.fuzz.frames import text_frame
from tests.fuzz.target import Target
from tests.support.wait import TIMEOUT_SECONDS
from tests.transport.raw import HANDSHAKE

pytestmark = pytest.mark.asyncio(loop_scope="package")

STEP_BYTES: Final = 5


def conversation(token: str) -> bytes:
    """All that a client sends who connects, joins the front desk and lists the lobbies."""
    handshake = HANDSHAKE.format(
        path="/socket.io/?EIO=4&transport=websocket",
        host="localhost",
        key="AAAAAAAAAAAAAAAAAAAAAA==",
        extra="",
    )
    join = f"40{FRONT_DESK},{json.dumps({'token': token})}"
    texts = (join, f'42{FRONT_DESK},1["list",{{}}]')
    return handshake.encode() + b"".join(text_frame(text.encode()) for text in texts)


async def test_whoever_stops_anywhere_is_cut_off(target: Target) -> None:
    said = conversation(target.token)
    async with AsyncExitStack() as stack:
        readers = []
        for end in range(0, len(said) + 1, STEP_BYTES):
            reader, writer = await stack.enter_async_context(tcp(target.port))
            writer.write(said[:end])
            readers.append(reader)

        async with asyncio.timeout(TIMEOUT_SECONDS):
            await asyncio.gather(*(reader.read() for reader in readers))

    await target.is_unharmed()
