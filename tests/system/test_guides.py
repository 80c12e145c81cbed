"""What the Markdown says is so: its links lead somewhere, what it names can be had, and its lists
are those of the code."""

import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from server.cli.main import whole
from server.runtime.settings import Settings
from tests.support.guides import GUIDES, OPERATING, README, ROOT, anchors, code, table_rows

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
VARIABLE = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b")


def each_guide() -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "guide", GUIDES, ids=[str(path.relative_to(ROOT)) for path in GUIDES]
    )


@each_guide()
def test_every_link_leads_to_a_file_and_a_heading(guide: Path) -> None:
    for target in LINK.findall(guide.read_text()):
        if re.match(r"\w+:", target):
            continue
        name, _, anchor = target.partition("#")
        page = (guide.parent / name).resolve() if name else guide
        assert page.exists(), target
        assert not anchor or anchor in anchors(page), target


@each_guide()
def test_every_command_that_is_named_can_be_run(guide: Path) -> None:
    context = typer.Context(typer.main.get_command(whole()))
    for line in code(guide):
        match line.replace("[", "").replace("]", "").removeprefix(".venv/bin/").split():
            case ["fair-bingo", *words]:
                command = context.command
                while isinstance(command, TyperGroup) and words:
                    found = command.get_command(context, words.pop(0))
                    assert found is not None, line
                    command = found
                options = {name for option in command.params for name in option.opts}
                assert {word for word in words if word.startswith("--")} <= options, line


@each_guide()
def test_every_target_of_make_that_is_named_is_there(guide: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for line in code(guide):
        for target in re.findall(r"^(?:\w+=\w+ )?make ([a-z-]+)", line):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), line


@each_guide()
def test_every_module_that_is_to_be_run_is_there_with_its_options(guide: Path) -> None:
    for line in code(guide):
        found = re.search(r"python -m ([\w.]+)(.*)", line)
        if found is None:
            continue
        spec = find_spec(found[1])
        if spec is not None and spec.submodule_search_locations is not None:
            spec = find_spec(f"{found[1]}.__main__")
        assert spec is not None, line
        if spec.origin is not None:
            source = Path(spec.origin).read_text()
            for word in shlex.split(found[2]):
                assert not word.startswith("--") or f'"{word}"' in source, line


@each_guide()
def test_every_variable_that_is_named_is_one(guide: Path) -> None:
    known = {name.upper() for name in Settings.model_fields}
    known |= set(re.findall(r"^(\w+) \?= ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {name for line in code(guide) for name in VARIABLE.findall(line)}
    assert named <= known


@each_guide()
def test_every_name_of_a_field_or_a_line_of_the_log_is_in_the_code(guide: Path) -> None:
    sources = [path for room in ("server", "protocol") for path in (ROOT / room).rglob("*.py")]
    texts = [path.read_text() for path in (*sources, ROOT / ".deploy/alerts.yml")]
    known = {name for text in texts for name in re.findall(r"\w+", text)}
    named = {line for line in code(guide) if re.fullmatch(r"[a-z]+(_[a-z]+)+", line)}
    assert {name for name in named if not name.startswith("fair_bingo_")} <= known


def test_the_settings_of_the_guide_are_those_of_the_code() -> None:
    example = re.findall(r"^(\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    required = {name for name, field in Settings.model_fields.items() if field.is_required()}
    expected = {
        name: "required" if name.lower() in required else value or "none" for name, value in example
    }
    rows = table_rows(OPERATING, r"[A-Z_]+")
    assert {name: default for name, default, _ in rows} == expected
    assert len(rows) == len(expected)


def test_the_commands_of_the_guide_are_those_of_the_code() -> None:
    command = typer.main.get_command(whole())
    assert isinstance(command, TyperGroup)
    named = {row[0].split()[1] for row in table_rows(OPERATING, "fair-bingo .*")}
    assert named == set(command.commands)


def test_the_readme_is_short_and_names_every_room() -> None:
    assert len(README.read_text().splitlines()) <= 250
    rooms = {f"server/{path.parent.name}/" for path in (ROOT / "server").glob("*/__init__.py")}
    named = {row[0] for row in table_rows(README, r"[\w/]+/")}
    assert named == rooms | {"protocol/", "tests/"}
