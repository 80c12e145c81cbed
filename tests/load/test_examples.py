"""The load scripts for other people's tools: checked as far as the tools are there."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.protocol.test_documents_js import node_modules as node_modules
from tests.support.process import StartProcess

HERE = Path(__file__).parent
SECONDS = 200.0
PLAYERS = 10
"""A full lobby."""
CHECK = (
    *("--noEmit", "--allowJs", "--checkJs", "--noImplicitAny", "false", "--target", "es2022"),
    *("--module", "esnext", "--moduleResolution", "bundler", "--types", "k6", "k6.js"),
)


def test_the_k6_script_is_one_to_the_types_of_k6(tmp_path: Path, node_modules: Path) -> None:
    shutil.copy(HERE / "k6.js", tmp_path)
    (tmp_path / "node_modules").symlink_to(node_modules)
    tsc = str(node_modules / ".bin/tsc")
    done = subprocess.run((tsc, *CHECK), cwd=tmp_path, stdout=subprocess.PIPE, timeout=SECONDS)
    assert done.stdout == b""


async def test_the_k6_script_plays_games_with_a_stand_in_for_k6(
    tmp_path: Path, node_modules: Path, dev_url: str, start_process: StartProcess
) -> None:
    """That its requests, its packets and its counting are right at a real server. It does not prove
    that k6 runs it: what it imports is Node's here, and so is the language."""
    shutil.copytree(HERE / "k6_stand_in", tmp_path, dirs_exist_ok=True)
    shutil.copy(HERE / "k6.js", tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    shutil.copytree(node_modules / "ws", tmp_path / "node_modules/ws")
    (tmp_path / "k6").rename(tmp_path / "node_modules/k6")
    (tmp_path / "k6").symlink_to("node_modules/k6")
    modules = {
        f"./{name}": f"./{name}.js" for name in ("execution", "http", "metrics", "websockets")
    }
    package = {"name": "k6", "type": "module", "exports": modules}
    (tmp_path / "node_modules/k6/package.json").write_text(json.dumps(package))
    run = start_process("node", str(tmp_path / "run.mjs"), dev_url, str(PLAYERS))
    assert await run.wait(SECONDS) == 0, run.output
    counted = json.loads(run.output.splitlines()[-1])
    assert counted["games"]["count"] == PLAYERS
    assert counted["refused"]["count"] == 0
    commands = [tags["command"] for tags in counted["command_latency"]["tags"]]
    assert commands.count("arrange_grid") == PLAYERS
    assert "claim" in commands
    assert counted["push_latency"]["values"] > PLAYERS


async def test_the_k6_script_plays_games(dev_url: str, start_process: StartProcess) -> None:
    k6 = shutil.which("k6") or pytest.skip("k6 is needed: https://k6.io")
    script = str(HERE / "k6.js")
    users = ("--vus", "10", "--duration", "30s")
    run = start_process(k6, "run", *users, "-e", f"URL={dev_url}", script)
    assert await run.wait(SECONDS) == 0, run.output
    assert "push_latency" in run.output


async def test_the_locust_users_play_games(dev_url: str, start_process: StartProcess) -> None:
    locust = shutil.which("locust") or pytest.skip("Locust is needed: pip install locust")
    run = start_process(
        *(locust, "--headless", "--only-summary", "--locustfile", str(HERE / "locustfile.py")),
        *("--host", dev_url, "--users", "10", "--spawn-rate", "10", "--run-time", "30s"),
    )
    assert await run.wait(SECONDS) == 0, run.output
    assert "game_finished" in run.output
