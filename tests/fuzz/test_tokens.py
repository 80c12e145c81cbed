"""Tokens that are not quite the ones that were issued."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import ErrorCode
from protocol.ids import FRONT_DESK
from tests.fuzz import tokens
from tests.fuzz.attacker import receive_all, refusals, websocket
from tests.fuzz.budget import budget
from tests.fuzz.target import Target
from tests.support.wait import until

pytestmark = pytest.mark.asyncio(loop_scope="package")


@budget
@given(data=st.data())
async def test_a_spoilt_token_opens_nothing(target: Target, data: st.DataObject) -> None:
    token = data.draw(tokens.spoilt(target.token, target.other_token))
    async with websocket(target.port) as client:
        refused = await client.join(FRONT_DESK, token)

    assert refusals([refused]) == [ErrorCode.UNAUTHORIZED]
    await target.is_unharmed()


@budget
@given(data=st.data())
async def test_a_spoilt_token_refreshes_nothing(target: Target, data: st.DataObject) -> None:
    token = data.draw(tokens.spoilt(target.token, target.other_token))
    async with websocket(target.port) as client:

        async def is_in() -> bool:  # not at once, where the store is slow to answer
            return (await client.join(target.lobby, target.token)).startswith("40")

        await until(is_in)  # where events of nobody else come
        await client.packet()
        answer = await client.command(target.lobby, 1, "refresh_token", {"token": token})
        packets = await receive_all(client)

    assert answer["error"]["code"] == ErrorCode.UNAUTHORIZED
    assert packets == []
    await target.is_unharmed()
