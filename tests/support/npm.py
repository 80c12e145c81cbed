"""The packages of a lock file of npm."""

import fcntl
import shutil
import subprocess
from pathlib import Path
from typing import Final

INSTALL_SECONDS: Final = 900


def has_node() -> bool:
    """Whether this machine has Node and npm."""
    return shutil.which("node") is not None and shutil.which("npm") is not None


def install_packages(folder: Path, *command: str) -> Path:
    """Install what the lock file of the folder names, unless it is installed, with that command of
    npm. One process at a time: two that install into one folder take files from each other.
    Returns the folder of packages. Raises CalledProcessError if npm fails."""
    packages, lock = folder / "node_modules", folder / "package-lock.json"
    installed = packages / ".package-lock.json"
    with (folder / "package.json").open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            quietly = ("--no-audit", "--no-fund")
            subprocess.run(
                ("npm", *command, *quietly), cwd=folder, check=True, timeout=INSTALL_SECONDS
            )
    return packages
