"""What `make dist` builds, and what it takes to install that."""

import subprocess
import tomllib
from email.parser import BytesParser
from importlib.metadata import Distribution, distribution
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
JS = Path(__file__).parents[1] / "js"
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
TARBALL, WHEEL, SOURCE = (
    f"fair-bingo-client-{VERSION}.tgz",
    f"fair_bingo-{VERSION}-py3-none-any.whl",
    f"fair_bingo-{VERSION}.tar.gz",
)
FAST = {"PORT": "0", "MAX_PLAYERS": "2", "CALL_INTERVAL_SECONDS": "0.1"}
"""The settings of a server whose games take seconds."""
INSTALL_SECONDS = 900


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
