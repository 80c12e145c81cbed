"""What `make dist` builds, installed and used as a user would."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from email.parser import BytesParser
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from protocol.client import connect, enter_lobby, verify
from server.dev.compose import DevWorld
from server.rules.proofs import proof_hash
from tests.rules.vectors import vectors
from tests.support.process import ChildProcess, StartProcess
from tests.support.proxy import Proxy
from tests.support.wait import TIMEOUT_SECONDS
from tests.system.game_server import ticket

ROOT = Path(__file__).parents[2]
JS = Path(__file__).parent / "js"
README = ROOT / "README.md"
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
TARBALL, WHEEL, SOURCE = (
    f"fair-bingo-client-{VERSION}.tgz",
    f"fair_bingo-{VERSION}-py3-none-any.whl",
    f"fair_bingo-{VERSION}.tar.gz",
)
FAST = {"PORT": "0", "MAX_PLAYERS": "2", "CALL_INTERVAL_SECONDS": "0.1"}
INSTALL_SECONDS = 300
STRICT = ("--noEmit", "--strict", "--target", "es2022", "--module", "nodenext")


def run(*command: str | Path, cwd: Path) -> str:
    """What a command that succeeds prints."""
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=INSTALL_SECONDS,
    )
    assert done.returncode == 0, done.stdout.decode()
    return done.stdout.decode()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone with what is in this working tree, committed."""
    pytest.importorskip("build", reason="the package `build` is needed: make install")
    if shutil.which("npm") is None:
        pytest.skip("npm is needed: apt-get install npm")
    folder = tmp_path_factory.mktemp("checkout")
    for name in run("git", "ls-files", "-z", "-co", "--exclude-standard", cwd=ROOT).split("\0"):
        if name and (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    run("git", "init", "-q", cwd=folder)
    run("git", "add", "-A", cwd=folder)
    who = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    run("git", *who, "commit", "-qm", "all", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def dist(checkout: Path) -> Path:
    """What `make dist` built; the packages that it takes for that are those of the tests."""
    bin_folder = Path(sys.executable).parent
    run("make", "--old-file=.venv/installed", "dist", f"BIN={bin_folder}", cwd=checkout)
    return checkout / "dist"


@pytest.fixture(scope="module")
def npm_folder(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a user who has installed the npm package."""
    folder = tmp_path_factory.mktemp("npm")
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    run("npm", "install", "--prefer-offline", "--no-audit", "--no-fund", dist / TARBALL, cwd=folder)
    for script in JS.glob("*.mjs"):
        shutil.copy(script, folder)
    return folder


@pytest.fixture(scope="module")
def wheel_bin(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment in which there is nothing but the wheel and what it needs, of
    the versions that the tests have: to download and unpack those takes a minute."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    python = folder / "venv/bin/python"
    (site,) = folder.glob("venv/lib/python*/site-packages")
    for needed in needed_by(dist / WHEEL):
        for file in needed.files or ():
            if ".." not in file.parts:  # those are programs, for which others serve as well
                (site / file).parent.mkdir(parents=True, exist_ok=True)
                (site / file).symlink_to(file.locate())
    pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check")
    run(*pip, "install", "--quiet", "--no-index", dist / WHEEL, cwd=folder)
    return python.parent


def needed_by(wheel: Path) -> list[Distribution]:
    """What is installed here of all that a wheel needs, and that needs in turn."""
    with ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = BytesParser().parsebytes(archive.read(name))
    found: dict[str, Distribution] = {}
    extras_of: dict[str, set[str]] = {}
    wanted = [(line, "") for line in metadata.get_all("Requires-Dist", ())]
    while wanted:
        line, extra = wanted.pop()
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            key = canonicalize_name(requirement.name)
            known = extras_of.setdefault(key, set())
            extras = {"", *requirement.extras} - known
            found[key] = distribution(requirement.name)
            wanted += [(line, each) for each in extras for line in found[key].requires or ()]
            known |= extras
    return [*found.values()]


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
    """Write the README's example in that language to `path`."""
    (code,) = re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(), re.M | re.S)
    path.write_text(code)
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


def test_a_strict_typescript_program_compiles_against_the_package(npm_folder: Path) -> None:
    tsc = ROOT / "tests/protocol/js/node_modules/.bin/tsc"
    if not tsc.exists():
        run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=tsc.parents[2])
    shutil.copy(JS / "program.ts", npm_folder)
    assert run(tsc, *STRICT, "program.ts", cwd=npm_folder) == ""


# --- what the npm package promises ---------------------------------------------------------------


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
    said = json.loads(run("node", "verify_all.mjs", "documents.json", cwd=npm_folder))
    assert said == [verify(document) for document in documents]
    assert said[: len(proofs) + 2] == [True] * (len(proofs) + 2)
    assert said.count(True) < len(documents) / 2


def _sealed(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts with the hash that would hold them, where one can be made."""
    try:
        return facts | {
            "proof_hash": proof_hash({k: v for k, v in facts.items() if k != "proof_hash"})
        }
    except (AttributeError, KeyError, TypeError, ValueError):
        return facts
