"""The examples of the README do what it says: both play the same game on a development server."""

import re
import sys
from pathlib import Path

from server.dev.compose import DevWorld
from tests.support.process import ChildProcess, StartProcess
from tests.support.wait import TIMEOUT_SECONDS

README = Path(__file__).parents[2] / "README.md"
FAST = {"PORT": "0", "MAX_PLAYERS": "2", "CALL_INTERVAL_SECONDS": "0.1"}


async def test_the_examples_of_the_readme_play_a_game(
    tmp_path: Path, node_modules: Path, start_process: StartProcess
) -> None:
    (tmp_path / "node_modules").symlink_to(node_modules)
    javascript = write_example(tmp_path / "play.mjs", "js")
    python = write_example(tmp_path / "play.py", "python")
    world = DevWorld(tmp_path / "data", FAST)
    async with world.running():
        players = [
            start_process("node", str(javascript), URL=world.url, PLAYER="alice"),
            start_process(sys.executable, str(python), URL=world.url, PLAYER="bob"),
        ]
        for player in players:
            assert await player.wait(2 * TIMEOUT_SECONDS) == 0, player.output
    assert {said_of_the_end(player) for player in players} & {
        ("won", "alice"),
        ("won", "bob"),
        ("no_winner", "null"),
    }
    assert all("1: " in player.output for player in players)


def write_example(path: Path, language: str) -> Path:
    """Write the README's example in that language to `path`."""
    (code,) = re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(), re.M | re.S)
    path.write_text(code)
    return path


def said_of_the_end(player: ChildProcess) -> tuple[str, str]:
    """How the game ended and for whom, in the words of one of its players."""
    (end,) = re.findall(r"^(won|no_winner) (\w+) \d+$", player.output, re.M)
    return end[0], end[1]
