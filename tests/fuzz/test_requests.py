"""HTTP that is wrong in its form, and HTTP that is wrong in what it says."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocol.errors import ErrorCode
from protocol.payments import SIGNATURE_HEADER
from tests.fuzz import requests
from tests.fuzz.attacker import End, send, tcp
from tests.fuzz.budget import budget
from tests.fuzz.target import ATTACKER, Target
from tests.system.game_server import WEBHOOK, HttpAnswer

pytestmark = pytest.mark.asyncio(loop_scope="package")

ends = st.sampled_from(["reset", "half-closed"])


def is_unavailable(answer: HttpAnswer) -> bool:
    """Whether the store was held up."""
    return answer.status == 503 and answer.body["code"] == ErrorCode.UNAVAILABLE


@budget
@given(pieces=st.lists(st.binary(max_size=200), max_size=5), end=ends)
@example(pieces=[b"\xff\xf2"], end="half-closed")
async def test_bytes_instead_of_a_request(target: Target, pieces: list[bytes], end: End) -> None:
    async with tcp(target.port) as (reader, writer):
        said = await send(reader, writer, pieces, end)

    assert not said or said.startswith(b"HTTP/1.")
    await target.is_unharmed()


@budget
@given(pieces=requests.near_requests, end=ends)
async def test_requests_that_are_nearly_right(
    target: Target, pieces: list[bytes], end: End
) -> None:
    async with tcp(target.port) as (reader, writer):
        said = await send(reader, writer, pieces, end)

    await target.is_unharmed()
    assert b"Internal Server Error" not in said


@budget
@given(data=st.data())
async def test_requests_of_a_player(target: Target, data: st.DataObject) -> None:
    await target.seat_attacker()
    lobby_id = target.lobby.removeprefix("/")
    request = data.draw(requests.to_players_routes(lobby_id))

    answer = await target.game.request(request.method, request.path, ATTACKER, data=request.body)

    await target.is_unharmed()
    assert answer.status < 500 or is_unavailable(answer)


@budget
@given(body=requests.deliveries)
async def test_signed_deliveries_of_anything(target: Target, body: bytes) -> None:
    headers = {SIGNATURE_HEADER: target.game.provider.sign(body)}

    answer = await target.game.request("POST", WEBHOOK, headers=headers, data=body)

    await target.is_unharmed()
    assert answer.status < 500 or is_unavailable(answer)
