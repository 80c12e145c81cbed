"""`fair-bingo replay` and `export`: the record of a game, from the store and from a file."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.process import StartProcess
from tests.system.conftest import FAIR_BINGO, Run, Serve
from tests.system.stored_ledger import StoredLedger


async def finished_game(serve: Serve) -> str:
    """The id of a lobby whose numbers have all been called."""
    server = await serve(CALL_INTERVAL_SECONDS="0.02")
    lobby_id = await server.ready("alice", "bob")
    async with server.visitor("carol") as carol:
        await carol.enter(lobby_id, last_seq=0)
        await carol.receives("game_finished", outcome="no_winner")
    return lobby_id


async def of_file(start_process: StartProcess, command: str, path: Path) -> tuple[int, list[str]]:
    """The exit code and the lines of a command about a file, run without any settings."""
    process = start_process(FAIR_BINGO, command, str(path))
    return await process.wait(), process.output.splitlines()


async def test_a_game_is_replayed_from_the_store_and_from_its_export(
    serve: Serve, fair_bingo: Run, start_process: StartProcess, tmp_path: Path
) -> None:
    lobby_id = await finished_game(serve)
    code, output = await fair_bingo("replay", lobby_id)
    assert code == 0, output
    assert "call 50: " in output
    assert output.splitlines()[-1] == "The log holds."

    folder = tmp_path / "games"
    folder.mkdir()
    code, printed = await fair_bingo("export", lobby_id, lobby_id, "--out", str(folder))
    assert code == 0, printed
    code, both = await fair_bingo("replay", str(folder / f"{lobby_id}.json"), lobby_id)
    assert code == 0, both
    assert both.count("The log holds.") == 2
    assert f"{lobby_id}: The log holds." in both.splitlines()

    path = tmp_path / "game.json"
    code, printed = await fair_bingo("export", lobby_id, "--out", str(path))
    assert code == 0, printed
    assert await of_file(start_process, "replay", path) == (0, output.splitlines())
    assert await of_file(start_process, "verify", path) == (0, ["The proof holds."])


async def test_a_file_that_was_altered_fails_where_it_was(
    serve: Serve, fair_bingo: Run, start_process: StartProcess, tmp_path: Path
) -> None:
    path = tmp_path / "game.json"
    await fair_bingo("export", await finished_game(serve), "--out", str(path))
    game: dict[str, Any] = json.loads(path.read_text())
    called = next(entry for entry in game["log"] if entry["type"] == "number_called")
    called["at"] = repr(float(called["at"]) + 1)
    path.write_text(json.dumps(game))
    for command in ("replay", "verify"):
        code, lines = await of_file(start_process, command, path)
        assert code == 1
        assert f"{called['id']}: " in lines[-1]


async def test_a_proof_that_is_not_of_its_log_fails(
    serve: Serve, fair_bingo: Run, start_process: StartProcess, tmp_path: Path
) -> None:
    path = tmp_path / "game.json"
    await fair_bingo("export", await finished_game(serve), "--out", str(path))
    game: dict[str, Any] = json.loads(path.read_text())
    game["proof"]["log_hash"] = "ab" * 32
    path.write_text(json.dumps(game))
    code, lines = await of_file(start_process, "verify", path)
    assert code == 1
    assert "the proof is not what follows from the log" in lines


@pytest.mark.not_replayed
async def test_a_store_that_was_altered_fails(
    serve: Serve, fair_bingo: Run, stored: StoredLedger
) -> None:
    lobby_id = await (await serve()).seat("alice", "bob")
    await stored.redis.hset(f"lobby:{{3500}}:{lobby_id}", "pot", "1")
    code, output = await fair_bingo("replay", lobby_id)
    assert code == 1
    assert "not what the log leads to" in output


async def test_a_lobby_is_exported_when_it_is_over(
    serve: Serve, fair_bingo: Run, tmp_path: Path
) -> None:
    lobby_id = await (await serve()).seat("alice", "bob")
    for gone in (lobby_id, "lobby_3500_0123456789ab"):
        code, output = await fair_bingo("export", gone, "--out", str(tmp_path / "game.json"))
        assert (code, len(output.splitlines())) == (1, 1), output
    assert "cannot" in (await fair_bingo("verify", str(tmp_path / "game.json")))[1]


async def test_nothing_secret_is_shown_of_a_game_that_goes_on(
    serve: Serve, fair_bingo: Run, stored: StoredLedger
) -> None:
    lobby_id = await (await serve()).ready("alice", "bob")
    seed = await stored.redis.hget(f"lobby:{{3500}}:{lobby_id}", "server_seed")
    code, output = await fair_bingo("replay", lobby_id)
    assert code == 0
    assert seed
    assert seed not in output
