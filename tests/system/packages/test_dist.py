"""What `make dist` builds, installed and used as a user would."""

import json
import re
from pathlib import Path

from server.dev.compose import DevWorld
from tests.rules.vectors import vectors
from tests.support.process import ChildProcess, StartProcess
from tests.support.wait import TIMEOUT_SECONDS
from tests.system.packages.building import FAST, ROOT, SOURCE, TARBALL, VERSION, WHEEL, run

README = ROOT / "README.md"


def test_make_dist_builds_all_three_and_leaves_the_checkout_clean(
    checkout: Path, dist: Path
) -> None:
    assert {path.name for path in dist.iterdir()} == {TARBALL, WHEEL, SOURCE}
    assert run("git", "status", "--porcelain", cwd=checkout) == ""
    assert not (checkout / "build").exists()
    assert list((checkout / "protocol/js").glob("*.tgz")) == []


def test_both_packages_have_one_version() -> None:
    assert json.loads((ROOT / "protocol/js/package.json").read_text())["version"] == VERSION


async def test_the_examples_of_the_readme_play_a_game_on_what_was_installed(
    tmp_path: Path, npm_folder: Path, wheel_bin: Path, start_process: StartProcess
) -> None:
    javascript = write_example(npm_folder / "play.mjs", "js")
    python = write_example(tmp_path / "play.py", "python")
    world = DevWorld(tmp_path / "data", FAST)
    async with world.running():
        players = [
            start_process("node", str(javascript), URL=world.url, PLAYER="alice"),
            start_process(str(wheel_bin / "python"), str(python), URL=world.url, PLAYER="bob"),
        ]
        for player in players:
            assert await player.wait(2 * TIMEOUT_SECONDS) == 0, player.output
    assert {said_of_the_end(player) for player in players} & {
        ("won", "alice"),
        ("won", "bob"),
        ("no_winner", "null"),
    }
    for player in players:
        assert "1: " in player.output
        assert "the draw was fair: true" in player.output.lower()


def write_example(path: Path, language: str) -> Path:
    """Write the README's example in that language to `path`, with time for a slow machine."""
    (code,) = re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(), re.M | re.S)
    path.write_text(code.replace("base_url=URL)", "base_url=URL, timeout=200)"))
    return path


def said_of_the_end(player: ChildProcess) -> tuple[str, str]:
    """How the game ended and for whom, in the words of one of its players."""
    (end,) = re.findall(r"^(won|no_winner) (\w+) \d+$", player.output, re.M)
    return end[0], end[1]


def test_the_wheel_has_all_that_a_server_serves(wheel_bin: Path, tmp_path: Path) -> None:
    code = """
from server.transport.http.docs import DocsRoutes
from server.transport.http.pages import Pages
DocsRoutes(), print(*sorted(Pages({}, dev_login=False, host_origins=())._pages))
"""
    served = run(wheel_bin / "python", "-c", code, cwd=tmp_path).split()
    web = ROOT / "server/transport/web"
    scripts = {path.relative_to(web).as_posix() for path in web.rglob("*.js")}
    assert {name for name in scripts if not name.startswith("vendor/")} < set(served)
    assert "package/room.js" in served
    (tmp_path / "proof.json").write_text(json.dumps(vectors()["proofs"][0]))
    assert run(wheel_bin / "fair-bingo", "verify", "proof.json", cwd=tmp_path)
