"""The Markdown of this repository, and what stands in it."""

import re
from pathlib import Path

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
