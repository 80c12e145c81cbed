"""Bytes in a WebSocket connection that are no frames, or no frames that a client may send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz import frames
from tests.fuzz.attacker import End, send, websocket
from tests.fuzz.budget import budget
from tests.fuzz.target import Target

pytestmark = pytest.mark.asyncio(loop_scope="package")


@budget
@given(pieces=frames.streams, end=st.sampled_from(["reset", "half-closed"]))
async def test_frames_of_any_kind(target: Target, pieces: list[bytes], end: End) -> None:
    async with websocket(target.port) as client:
        await send(client.reader, client.writer, pieces, end)

    await target.is_unharmed()
