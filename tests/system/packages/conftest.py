"""What is installed is built once for a file of tests."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.system.packages.building import JS, ROOT, TARBALL, WHEEL, needed_by, run


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
