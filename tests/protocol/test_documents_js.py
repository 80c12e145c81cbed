"""The documents as the tools of JavaScript read them: AsyncAPI's parser, and TypeScript."""

import subprocess
from pathlib import Path

import pytest

from protocol.documents.files import FOLDER
from tests.support.npm import has_node, install_packages

JS = Path(__file__).parent / "js"
SECONDS = 200
STRICT = (
    *("--noEmit", "--strict", "--target", "es2022", "--module", "esnext"),
    *("--moduleResolution", "bundler"),
)


@pytest.fixture(scope="module")
def node_modules() -> Path:
    """The packages that the lock file names, installed unless they are. Their scripts do not
    run."""
    if not has_node():
        pytest.skip("node and npm are not installed")
    return install_packages(JS, "ci", "--ignore-scripts")


def output_of(*command: str) -> str:
    """What a command says, whether it succeeds or not."""
    done = subprocess.run(
        command, cwd=JS, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS
    )
    return done.stdout.decode()


@pytest.mark.usefixtures("node_modules")
def test_the_asyncapi_document_is_valid_to_its_own_parser_which_finds_what_is_wrong(
    tmp_path: Path,
) -> None:
    right, wrong = FOLDER / "asyncapi.json", tmp_path / "wrong.json"
    wrong.write_text(right.read_text("utf-8").replace('"receive"', '"hear"'), "utf-8")
    found = output_of("node", "validate.js", str(right), str(wrong)).splitlines()
    assert any("action" in line for line in found)
    assert [line for line in found if not line.startswith(f"{wrong}: ")] == []


def test_a_typescript_client_compiles_against_the_types(node_modules: Path) -> None:
    assert output_of(str(node_modules / ".bin/tsc"), *STRICT, "player.ts") == ""
