"""Whole games on the stock clients of both languages, each against a server of its own."""

import asyncio
import json
from typing import Any

import pytest

from server.rules.verify import verify_proof
from tests.support.process import StartProcess
from tests.support.wait import TIMEOUT_SECONDS
from tests.system.conftest import JS, Serve
from tests.system.game_server import has_pattern, numbers, ticket
from tests.system.shapes import ANSWERS, REFUSAL, assert_transcript
from tests.system.spec import assert_shape
from tests.system.visitor import Visitor

PACE = {"CALL_INTERVAL_SECONDS": "0.3"}

Line = list[Any]
"""What the script printed: a player, a kind of thing, its name, and its value."""


@pytest.mark.usefixtures("node_modules")
async def test_a_game_on_socket_io_client(serve: Serve, start_process: StartProcess) -> None:
    server = await serve(**PACE)
    tokens = json.dumps({name: server.issuer.token(name) for name in ("alice", "bob", "carol")})
    script = start_process("node", str(JS / "play.js"), server.url, tokens)
    for name in ("alice", "bob"):
        asked = await script.wait_for_line(rf'^\["{name}","pay","[^"]+",(.*)\]$')
        assert await server.pay(json.loads(asked[1])) == {"success": True, "processed": True}
    assert await script.wait(2 * TIMEOUT_SECONDS) == 0, script.output

    lines = [json.loads(line) for line in script.output.splitlines()]
    for name in ("alice", "bob", "carol"):
        room = [(line[2], line[3]) for line in lines if line[:2] == [name, "event"]]
        assert_transcript([line for line in room if "lobb" not in line[0]])
    cut, joined = answers_to(lines, "alice", "join")
    assert_shape(cut, REFUSAL)
    assert cut["error"]["code"] == "invalid_message"
    assert_shape(joined, ANSWERS["join"])
    assert_shape(answers_to(lines, "alice", "list"), [ANSWERS["list"]])
    assert answers_to(lines, "bob", "select_numbers") == [{"ok": True, "numbers": numbers("bob")}]
    assert answers_to(lines, "bob", "arrange_grid") == [{"ok": True, "grid": ticket("bob")}]
    won, again = answers_to(lines, "alice", "claim")
    (false,) = answers_to(lines, "bob", "claim")
    assert_shape([won, false], [ANSWERS["claim"]])
    assert (won["valid"], won["pot"], false["kicked"]) == (True, 7000, True)
    assert again == won
    assert_shape(answers_to(lines, "alice", "sync"), [ANSWERS["sync"]])
    assert_shape(answers_to(lines, "carol", "sync"), [ANSWERS["sync"]])
    ends = [line[3] for line in lines if line[2] == "game_finished"]
    assert len(ends) == 3
    assert ends[0] == ends[1] == ends[2]
    assert verify_proof(ends[0]["proof"]) == []


async def test_a_game_on_python_socketio(serve: Serve) -> None:
    server = await serve(**PACE)
    lobby_id = await seat_by_front_desk(server.visitor("alice"), server)
    async with (
        server.visitor("alice") as alice,
        server.visitor("bob") as bob,
        server.visitor("carol") as carol,
    ):
        for visitor in (alice, bob, carol):
            await visitor.enter(lobby_id)
        assert await seat_by_front_desk(server.visitor("bob"), server) == lobby_id
        for visitor in (alice, bob):
            chosen = {"numbers": numbers(visitor.name)}
            assert await visitor.ask("select_numbers", chosen) == {"ok": True, **chosen}
            arranged = {"grid": ticket(visitor.name)}
            assert await visitor.ask("arrange_grid", arranged) == {"ok": True, **arranged}
        winner = await first_complete(alice, bob)
        claimed = await winner.ask("claim")
        assert claimed["winner"]
        for visitor in (alice, bob, carol):
            end = await visitor.receives("game_finished", outcome="won", winner=winner.name)
            assert end["pattern"] == claimed["pattern"]
            assert end["pot"] == claimed["pot"] == 7000
            assert end["grids"] == {name: ticket(name) for name in ("alice", "bob")}
            assert verify_proof(end["proof"]) == []
        assert carol.received[1:] == alice.received[1:]
        assert [name for name, _ in carol.received if name != "number_called"] == [
            "lobby_state",
            *("player_joined", "player_paid", "status_changed"),
            *("player_ready", "player_ready", "status_changed", "game_finished"),
        ]


async def seat_by_front_desk(visitor: Visitor, server: Any) -> str:
    """Join over `/lobbies` and pay. The id of the lobby."""
    async with visitor as desk:
        await desk.enter("lobbies")
        joined = await desk.ask("join", {"buy_in_amount": 3500, "client_seed": f"ü {desk.name}"})
        await desk.receives("lobby_listed")
        await server.pay(joined["invoice"])
        return str(joined["lobby"]["lobby_id"])


async def first_complete(*players: Visitor) -> Visitor:
    """The player whose grid has a complete pattern first."""
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while True:
            for player in players:
                if has_pattern(ticket(player.name), player.called):
                    return player
            await asyncio.sleep(0.01)


def answers_to(lines: list[Line], who: str, command: str) -> list[Any]:
    """What a player was answered each time to a command."""
    return [line[3] for line in lines if line[:3] == [who, "answer", command]]
