"""What the Markdown says is so: its links lead somewhere, what it names can be had, and its lists
are those of the code."""

import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from server.cli.main import main
from server.runtime.settings import Settings

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
OPERATING = ROOT / "server/OPERATING.md"
GUIDES = sorted(
    [*ROOT.glob("*.md")]
    + [
        path
        for room in ("server", "protocol", "tests")
        for path in (ROOT / room).rglob("*.md")
        if "node_modules" not in path.parts
    ]
)
CODE = re.compile(r"^```\w*\n(.*?)^```$|`([^`]+)`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
VARIABLE = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b")


def each_guide() -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "guide", GUIDES, ids=[str(path.relative_to(ROOT)) for path in GUIDES]
    )


def anchors(guide: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    text = re.sub(r"^```.*?^```$", "", guide.read_text(), flags=re.MULTILINE | re.DOTALL)
    return {
        re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }


def code(guide: Path) -> list[str]:
    """The lines and pieces of a page that are set as code."""
    pieces = [block or span for block, span in CODE.findall(guide.read_text())]
    return [line.strip() for piece in pieces for line in piece.splitlines()]


def table_rows(guide: Path, first_cell: str) -> list[list[str]]:
    """The rows, without their quotes, of tables whose first cell looks like that."""
    rows = [
        [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        for line in guide.read_text().splitlines()
        if line.startswith("|")
    ]
    return [row for row in rows if re.fullmatch(first_cell, row[0])]


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
    context = typer.Context(typer.main.get_command(main))
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
        assert spec is not None, line
        if spec.origin is not None and spec.submodule_search_locations is None:
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
    command = typer.main.get_command(main)
    assert isinstance(command, TyperGroup)
    named = {row[0].split()[1] for row in table_rows(OPERATING, "fair-bingo .*")}
    assert named == set(command.commands)


def test_the_readme_is_short_and_names_every_room() -> None:
    assert len(README.read_text().splitlines()) <= 250
    rooms = {f"server/{path.parent.name}/" for path in (ROOT / "server").glob("*/__init__.py")}
    named = {row[0] for row in table_rows(README, r"[\w/]+/")}
    assert named == rooms | {"protocol/", "tests/"}
