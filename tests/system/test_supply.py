"""The versions that CI and the image take, and what CI runs."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
EVERYTHING, SERVER = (
    ROOT / ".ci" / name for name in ("requirements.lock", "requirements-server.lock")
)
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WORKFLOW: dict[Any, Any] = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())

PINNED = re.compile(r"^([a-z0-9._-]+)==(\S+)(.*?)(?=^\w|\Z)", re.MULTILINE | re.DOTALL)


def pins(path: Path) -> dict[str, Version]:
    """The version of each package in a lock file."""
    return {name: Version(version) for name, version, _ in PINNED.findall(path.read_text())}


def requirements(*extras: str) -> list[Requirement]:
    """What the project asks for, itself left out."""
    texts = list(PROJECT["dependencies"])
    for extra in extras:
        texts += PROJECT["optional-dependencies"][extra]
    found = map(Requirement, texts)
    return [requirement for requirement in found if requirement.name != PROJECT["name"]]


@pytest.mark.parametrize(
    ("path", "extras"),
    [(EVERYTHING, tuple(PROJECT["optional-dependencies"])), (SERVER, ())],
    ids=["everything", "server"],
)
def test_every_requirement_is_locked_to_a_version_in_its_range(
    path: Path, extras: tuple[str, ...]
) -> None:
    locked = pins(path)
    for requirement in requirements(*extras):
        name = canonicalize_name(requirement.name)
        assert name in locked, f"{name}: run `make lock`"
        assert locked[name] in requirement.specifier, f"{name}: run `make lock`"


def test_the_image_takes_the_versions_that_are_tested() -> None:
    assert pins(SERVER).items() <= pins(EVERYTHING).items()


def test_every_version_is_locked_to_its_files() -> None:
    for path in (EVERYTHING, SERVER):
        for name, _, rest in PINNED.findall(path.read_text()):
            assert "--hash=sha256:" in rest, name


def test_the_image_has_nothing_but_its_lock_and_the_project() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    for install in re.findall(r"pip [^\n]*install(?:[^\n]*\\\n)*[^\n]*", dockerfile):
        assert "--require-hashes" in install or "--no-deps" in install, install


def test_the_workflow_runs_what_ci_runs_on_the_oldest_python_and_that_of_the_image() -> None:
    job = WORKFLOW["jobs"]["check"]
    pythons = job["strategy"]["matrix"]["python"]
    assert f">={pythons[0]}" == PROJECT["requires-python"]
    assert f"FROM python:{pythons[-1]}-slim" in (ROOT / "Dockerfile").read_text()
    assert job["container"] == "python:${{ matrix.python }}-trixie"
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]


def test_the_workflow_may_do_nothing_but_read() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in WORKFLOW["jobs"].values())


def test_the_workflow_calls_targets_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    runs = [
        step["run"]
        for job in WORKFLOW["jobs"].values()
        for step in job["steps"]
        if step.get("run", "").startswith("make ")
    ]
    assert runs
    for run in runs:
        assert re.search(rf"^{run.removeprefix('make ')}:", makefile, re.MULTILINE), run
