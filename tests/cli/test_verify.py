"""`fair-bingo verify` on the proof of a game that was played."""

import json
from pathlib import Path
from typing import Any

import pytest

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.rules.vectors import FILE as VECTORS
from tests.support.process import StartProcess
from tests.system.conftest import FAIR_BINGO, JS, Serve
from tests.system.game_server import GameServer, has_pattern, running_app, ticket


async def verified(start_process: StartProcess, place: str) -> tuple[int, list[str]]:
    """The exit code and the lines of the command."""
    process = start_process(FAIR_BINGO, "verify", place)
    return await process.wait(), process.output.splitlines()


async def test_a_proof_holds_from_its_url_and_from_a_file(
    serve: Serve, start_process: StartProcess, tmp_path: Path
) -> None:
    server = await serve(CALL_INTERVAL_SECONDS="0.02")
    lobby_id = await server.ready("alice", "bob")
    async with server.visitor("carol") as carol:
        await carol.enter(lobby_id, last_seq=0)
        proof = (await carol.receives("game_finished", outcome="no_winner"))["proof"]
    assert len(proof["numbers_called"]) == 50
    url = f"{server.url}/api/game/{lobby_id}/proof"
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(proof))
    for place in (url, str(file)):
        code, lines = await verified(start_process, place)
        assert (code, len(lines)) == (0, 1)

    swapped = proof["numbers_called"]
    swapped[0], swapped[1] = swapped[1], swapped[0]
    file.write_text(json.dumps(proof))
    code, lines = await verified(start_process, str(file))
    assert code == 1
    assert "numbers_called" in "\n".join(lines)


@pytest.mark.parametrize("content", [b"\xff", b"[]"])
async def test_what_is_no_proof_is_reported_without_a_traceback(
    start_process: StartProcess, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "proof.json"
    file.write_bytes(content)
    code, lines = await verified(start_process, str(file))
    assert (code, len(lines) > 0) == (1, True)
    assert "Traceback" not in "\n".join(lines)


@pytest.mark.parametrize("place", ["/nowhere/proof.json", "http://["])
async def test_a_proof_that_cannot_be_read_is_one_line(
    start_process: StartProcess, place: str
) -> None:
    code, lines = await verified(start_process, place)
    assert (code, len(lines)) == (1, 1)
    assert place in lines[0]


async def test_a_file_that_is_not_there_and_one_that_is_no_json_are_told_apart(
    start_process: StartProcess, tmp_path: Path
) -> None:
    file = tmp_path / "proof.json"
    found = (1, [f"cannot read {file}: No such file or directory"])
    assert await verified(start_process, str(file)) == found
    file.write_text("no")
    code, (line,) = await verified(start_process, str(file))
    assert (code, line.startswith(f"cannot read {file}: it is no JSON: ")) == (1, True)


@pytest.mark.usefixtures("node_modules")
async def test_a_verifier_made_from_the_description_agrees(
    serve: Serve, start_process: StartProcess, tmp_path: Path
) -> None:
    """It is `js/verify.js`: no line of it is the server's, it has only read protocol/PROOF.md."""
    won = (await won_game(await serve(CALL_INTERVAL_SECONDS="0.05")))["proof"]
    holding = [won, *json.loads(VECTORS.read_text(encoding="utf-8"))["proofs"]]
    with_beacon = holding[-1]
    beacon = with_beacon["beacon"]
    altered = [
        with_beacon | {"beacon": beacon | {"round": beacon["round"] + 1}},
        with_beacon | {"beacon": beacon | {"signature": holding[-2]["beacon"]["signature"]}},
        with_beacon | {"beacon": beacon | {"randomness": "00" * 32}},
        with_beacon | {"beacon": beacon | {"chain_hash": "00" * 32}},
        won | {"entropy": "00" * 32},
        won | {"numbers_called": won["numbers_called"][::-1]},
        won | {"pattern": "row_9"},
        won | {"arranged": {"alice": "picked"}},
        won | {"log_hash": "00" * 32},
    ]
    file = tmp_path / "proofs.json"
    file.write_text(json.dumps([*holding, *altered]))
    script = start_process("node", str(JS / "verify.js"), str(file))
    assert await script.wait() == 0, script.output
    found = [json.loads(line) for line in script.output.splitlines()]
    assert found[: len(holding)] == [[]] * len(holding)
    assert found[len(holding) :] == [
        ["beacon", "proof_hash"],
        ["beacon", "randomness", "proof_hash"],
        ["randomness", "order", "proof_hash"],
        ["beacon", "proof_hash"],
        ["entropy", "order", "proof_hash"],
        ["order", "proof_hash"],
        ["pattern", "proof_hash"],
        ["grid of alice", "proof_hash"],
        ["proof_hash"],
    ]


async def won_game(server: GameServer) -> dict[str, Any]:
    """The end of a game that Alice won as soon as she could."""
    while True:  # on a slow machine the last number may be called before she claims
        lobby_id = await server.ready("alice", "bob")
        async with server.visitor("alice") as alice:
            await alice.enter(lobby_id, last_seq=0)
            called: set[int] = set()
            while not has_pattern(ticket("alice"), called):
                called.add((await alice.receives("number_called", index=len(called) + 1))["number"])
            if (await alice.answer("claim", None))["ok"]:
                return dict(await alice.receives("game_finished", outcome="won"))


async def test_an_unfinished_game_has_nothing_to_verify(
    store_url: str, issuer: DevIssuer, provider: DevProvider, start_process: StartProcess
) -> None:
    async with running_app(store_url, issuer, provider) as server:
        lobby_id = await server.seat("alice")
        code, lines = await verified(start_process, f"{server.url}/api/game/{lobby_id}/proof")
    assert code == 1
    assert "409" in lines[0]
