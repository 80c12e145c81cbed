"""Text frames that are no packets, and packets that nobody may send."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import ErrorCode
from protocol.ids import FRONT_DESK
from tests.fuzz import packets
from tests.fuzz.attacker import receive_all, refusals, websocket
from tests.fuzz.budget import budget
from tests.fuzz.target import Target
from tests.transport.raw import RawClient

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def send_all(client: RawClient, texts: list[str]) -> list[ErrorCode]:
    """Send text messages: the codes of what is refused."""
    for text in texts:
        client.send(text)
    return refusals(await receive_all(client))


@budget
@given(texts=st.lists(packets.engine_packets, max_size=5))
async def test_engine_io_packets_of_any_kind(target: Target, texts: list[str]) -> None:
    async with websocket(target.port) as client:
        await send_all(client, texts)

    await target.is_unharmed()


@budget
@given(data=st.data(), joins_first=st.booleans())
async def test_socket_io_packets_of_any_kind(
    target: Target, data: st.DataObject, joins_first: bool
) -> None:
    namespaces = (FRONT_DESK, target.lobby)
    texts = data.draw(st.lists(packets.socket_packets(*namespaces), max_size=5))
    async with websocket(target.port) as client:
        for namespace in namespaces if joins_first else ():
            await client.join(namespace, target.token)
        await send_all(client, texts)

    await target.is_unharmed()


@budget
@given(data=st.data())
async def test_a_flood_of_namespace_connects(target: Target, data: st.DataObject) -> None:
    namespaces = (FRONT_DESK, target.lobby, *packets.OTHER_NAMESPACES)
    auth = json.dumps({"token": target.token})
    texts = [
        f"4{kind}{namespace},{auth if kind == 0 else ''}"
        for kind, namespace in data.draw(
            st.lists(st.tuples(st.integers(0, 1), st.sampled_from(namespaces)), max_size=60)
        )
    ]
    async with websocket(target.port) as client:
        await send_all(client, texts)

    await target.is_unharmed()
