"""Commands with anything in any field, by someone who may be there."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import ErrorCode
from protocol.from_client import FRONT_DESK_COMMANDS, LOBBY_COMMANDS
from protocol.ids import FRONT_DESK
from tests.fuzz import messages
from tests.fuzz.attacker import receive_all, refusals, websocket
from tests.fuzz.budget import budget
from tests.fuzz.documents import values
from tests.fuzz.target import Target

pytestmark = pytest.mark.asyncio(loop_scope="package")

Commands = list[tuple[str, Any]]


async def give(target: Target, namespace: str, commands: Commands, **auth: Any) -> list[ErrorCode]:
    """Join a namespace and give commands there: the codes of those that are refused."""
    async with websocket(target.port) as client:
        client.send(f"40{namespace},{json.dumps({'token': target.token, **auth})}")
        for ack_id, command in enumerate(commands):
            client.send(f"42{namespace},{ack_id}{json.dumps(command)}")
        return refusals(await receive_all(client))


async def test_every_command_is_tried() -> None:
    assert messages.VALID.keys() == {**FRONT_DESK_COMMANDS, **LOBBY_COMMANDS}.keys()
    for name, model in {**FRONT_DESK_COMMANDS, **LOBBY_COMMANDS}.items():
        assert {*messages.VALID[name], "alien_id"} == model.model_fields.keys()


@budget
@given(commands=st.lists(messages.front_desk_commands, max_size=8))
async def test_commands_at_the_front_desk(target: Target, commands: Commands) -> None:
    await give(target, FRONT_DESK, commands)

    await target.is_unharmed()


@budget
@given(commands=st.lists(messages.lobby_commands, max_size=8), last_seq=values)
async def test_commands_of_a_player(target: Target, commands: Commands, last_seq: Any) -> None:
    await target.seat_attacker()

    await give(target, target.lobby, commands, last_seq=last_seq)

    await target.is_unharmed()


@budget
@given(commands=st.lists(messages.lobby_commands, max_size=8), last_seq=values)
async def test_commands_of_a_spectator(target: Target, commands: Commands, last_seq: Any) -> None:
    await give(target, f"/{target.canary.lobby_id}", commands, last_seq=last_seq)

    await target.is_unharmed()
