"""What the npm package promises, as a program of a user gets it from the package that was built."""

import json
import shutil
from pathlib import Path
from typing import Any

from protocol.client import connect, enter_lobby, verify
from server.dev.compose import DevWorld
from server.rules.proofs import proof_hash
from tests.rules.vectors import vectors
from tests.support.npm import install_packages
from tests.support.process import StartProcess
from tests.support.proxy import Proxy
from tests.system.game_server import ticket
from tests.system.packages.building import FAST, JS, ROOT, run

STRICT = ("--noEmit", "--strict", "--target", "es2022", "--module", "nodenext")


def test_a_strict_typescript_program_compiles_against_the_package(npm_folder: Path) -> None:
    tsc = ROOT / "tests/protocol/js/node_modules/.bin/tsc"
    install_packages(tsc.parents[2], "ci", "--ignore-scripts")
    shutil.copy(JS / "program.ts", npm_folder)
    assert run(tsc, *STRICT, "program.ts", cwd=npm_folder) == ""


async def test_events_have_no_gap_and_no_repeat_however_often_the_connection_breaks(
    tmp_path: Path, npm_folder: Path, start_process: StartProcess
) -> None:
    world = DevWorld(tmp_path / "data", FAST)
    async with world.running(), Proxy(world.url) as proxy:
        lobby_id = await ready(world, "ann")
        script = str(npm_folder / "listen.mjs")
        token = world.access.token("eve")
        listener = start_process("node", script, proxy.url, token, lobby_id)
        await listener.wait_for_line('"lobby_state"')
        async with enter_lobby(world.url, token, lobby_id) as other:
            await ready(world, "bob")
            received = []
            async for event in other:
                received.append(event)
                if event.seq % 8 == 0:
                    proxy.cut()
        assert await listener.wait() == 0, listener.output
        (*events, last) = map(json.loads, listener.output.splitlines())
        seqs = [event["seq"] for event in events]
        assert seqs == list(range(seqs[0], received[-1].seq + 1))
        numbers = [event.number for event in received if event.event == "number_called"]
        assert [e["number"] for e in events if e["event"] == "number_called"] == numbers
        assert last["view"]["status"] == "finished"


async def ready(world: DevWorld, player: str) -> str:
    """The lobby in which the player has paid and arranged."""
    async with connect(world.url, world.access.token(player)) as desk:
        joined = await desk.join(3500)
        await world.access.pay(joined.invoice)
        room = await desk.enter(joined.lobby.lobby_id)
        await room.arrange_grid(ticket("alice" if player == "ann" else "bob"))
        return room.lobby_id


async def test_what_is_refused_has_its_code(
    tmp_path: Path, npm_folder: Path, start_process: StartProcess
) -> None:
    world = DevWorld(tmp_path / "data", FAST)
    async with world.running():
        script = str(npm_folder / "refused.mjs")
        process = start_process("node", script, world.url, world.access.token("ann"))
        assert await process.wait() == 0, process.output
    *codes, left, first, closed, entered_late = json.loads(process.output)
    assert codes == [
        *("unauthorized", "unknown_lobby", "unknown_tier"),
        *("not_paid", "wrong_status"),
    ]
    assert (left, closed, entered_late) == ("not_seated", "closed", "closed")
    assert (first["done"], first["value"]["event"]) == (False, "lobby_state")


async def test_one_game_after_the_other_needs_no_closing(
    tmp_path: Path, npm_folder: Path, start_process: StartProcess
) -> None:
    games = 9  # more than a connection may have namespaces
    world = DevWorld(tmp_path / "data", FAST)
    async with world.running():
        lobby_ids = [await deserted(world) for _ in range(games)]
        script, token = str(npm_folder / "many_games.mjs"), world.access.token("eve")
        process = start_process("node", script, world.url, token, *lobby_ids)
        assert await process.wait() == 0, process.output
    assert process.output.split() == ["lobby_state"] * games


async def deserted(world: DevWorld) -> str:
    """A lobby that both players have left, so that it is over."""
    tokens = [world.access.token(player) for player in ("ann", "bob")]
    for token in tokens:
        async with connect(world.url, token) as desk:
            joined = await desk.join(3500)
            await world.access.pay(joined.invoice)
    for token in tokens:
        async with enter_lobby(world.url, token, joined.lobby.lobby_id) as room:
            await room.leave()
    return joined.lobby.lobby_id


def test_both_clients_agree_on_what_is_a_proof_that_holds(npm_folder: Path) -> None:
    proofs = vectors()["proofs"]
    proof: dict[str, Any] = proofs[0]
    draw_alone = {k: v for k, v in proof.items() if k not in ("log_hash", "proof_hash")}
    won = draw_alone | {"winner": "ann", "pattern": "row_0"}
    changes: list[dict[str, Any]] = [
        *({name: None} for name in proof),
        *({name: "00" * 32} for name in proof),
        *({name: [1]} for name in proof),
        *({name: {"ann": "picked"}} for name in proof),
        {"variant": "grand"},
        {"numbers_called": proof["numbers_called"][:4]},
        {"players": proof["players"][::-1]},
        {"players": proof["players"][:1]},
        {"more": 1},
    ]
    documents: list[Any] = [
        *proofs,
        draw_alone,
        won,
        won | {"pattern": "col_0"},
        won | {"winner": "eve"},
        *(proof | change for change in changes),
        *(_sealed(proof | change) for change in changes),
        *({k: v for k, v in proof.items() if k != name} for name in proof),
        *(None, 1, "text", [], {}, [proof]),
    ]
    (npm_folder / "documents.json").write_text(json.dumps(documents))
    verdicts = json.loads(run("node", "verify_all.mjs", "documents.json", cwd=npm_folder))
    assert verdicts == [verify(document) for document in documents]
    assert verdicts[: len(proofs) + 2] == [True] * (len(proofs) + 2)
    assert verdicts.count(True) < len(documents) / 2


def _sealed(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts with the hash that would hold them, where one can be made."""
    try:
        return facts | {
            "proof_hash": proof_hash({k: v for k, v in facts.items() if k != "proof_hash"})
        }
    except (AttributeError, KeyError, TypeError, ValueError):
        return facts
