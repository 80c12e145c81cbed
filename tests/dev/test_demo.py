"""The demo as a program, the way it is run and read."""

import re
import subprocess
import sys

import pytest

from tests.support.late import LATE

DEMO = """
import asyncio, sys
from rich.console import Console
from server.dev.demo import play_demo
sys.exit(asyncio.run(play_demo(Console())))
"""

Demo = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def demo() -> Demo:
    """One run of the demo, its output piped."""
    command = [sys.executable, "-c", DEMO]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


def test_the_demo_is_won_and_all_checks_hold(demo: Demo) -> None:
    assert demo.returncode == 0
    assert [line for line in demo.stderr.splitlines() if not LATE.search(line)] == []
    assert "The proof holds. The ledger balances." in demo.stdout


def test_the_winner_is_paid_and_the_reference_is_shown(demo: Demo) -> None:
    assert re.search(r"^\w+ was paid 14,000 coins, reference dev-\w+\.$", demo.stdout, re.MULTILINE)


def test_the_demo_prints_the_whole_game(demo: Demo) -> None:
    for words in (
        "seat",
        "14,000 coins are in the pot",
        "has arranged",
        " 1. ",
        "marked",
        "Bingo!",
    ):
        assert words in demo.stdout


def test_the_demo_is_plain_lines_when_it_is_piped(demo: Demo) -> None:
    assert "\x1b" not in demo.stdout
    assert max(map(len, demo.stdout.splitlines())) <= 80
