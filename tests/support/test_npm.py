import asyncio
import json
from pathlib import Path

import pytest

from tests.support.npm import has_node, install_packages


async def test_of_two_who_need_the_packages_of_a_folder_one_installs_them(tmp_path: Path) -> None:
    if not has_node():
        pytest.skip("node and npm are not installed")
    package = {
        "name": "needs-packages",
        "version": "1.0.0",
        "dependencies": {"other": "file:other"},
        "scripts": {"preinstall": "echo began >> installs && sleep 1"},
    }
    (tmp_path / "package.json").write_text(json.dumps(package))
    (tmp_path / "package-lock.json").write_text(
        json.dumps({"name": "needs-packages", "lockfileVersion": 3, "packages": {"": package}})
    )
    (tmp_path / "other").mkdir()
    (tmp_path / "other/package.json").write_text(json.dumps({"name": "other", "version": "1.0.0"}))
    install = asyncio.to_thread(install_packages, tmp_path, "install", "--offline")
    again = asyncio.to_thread(install_packages, tmp_path, "install", "--offline")
    assert set(await asyncio.gather(install, again)) == {tmp_path / "node_modules"}
    assert (tmp_path / "node_modules/other/package.json").exists()
    assert (tmp_path / "installs").read_text() == "began\n"
