"""Chromium, the development server, and people who play in the one at the other."""

import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, async_playwright

from server.dev.ports import free_port
from tests.browser.person import Person
from tests.browser.world import TIER, World, program
from tests.support.process import StartProcess

HERE = Path(__file__).parent
CHROMIUM = shutil.which("chromium")
INSTALL_SECONDS = 300
LAUNCH_MS = 100_000

# However slow the browser: nobody's ticket is arranged for them, and the game is still on.
BASE = {"BUY_IN_TIERS": str(TIER), "CALL_INTERVAL_SECONDS": "2", "ARRANGING_SECONDS": "3600"}

LATE = re.compile('"[a-z]+_without_store"')
"""What a server says of a store that does not answer in 2 s, as on a machine that pauses."""
TWO_SEATS = {"MIN_PLAYERS": "2", "MAX_PLAYERS": "2"}
"""The game begins when the second player has paid."""

Serve = Callable[..., Awaitable[World]]
Enter = Callable[..., Awaitable[Person]]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    if CHROMIUM is None:
        pytest.skip("a browser is needed: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-dev-shm-usage"],
            timeout=LAUNCH_MS,
        )
        yield browser
        await browser.close()


@pytest.fixture
async def serve(start_process: StartProcess, tmp_path: Path) -> AsyncIterator[Serve]:
    """Starts the development server, the arguments are settings; `state` names what it stores,
    `prepare` is for `program`. In the end its log must be clean."""
    worlds: list[World] = []

    async def start(state: str = "state", prepare: str = "", **settings: str) -> World:
        environment = BASE | {"PORT": str(free_port())} | settings
        command = (sys.executable, "-c", program(prepare), str(tmp_path / state))
        process = start_process(*command, **environment)
        found = await process.wait_for_line(r"^running on (http://\S+)$")
        worlds.append(World(process, found[1]))
        return worlds[-1]

    yield start
    for world in worlds:
        said = [line for line in world.process.output.splitlines() if not LATE.search(line)]
        for word in ('"warning"', '"error"', "Traceback"):
            assert not any(word in line for line in said), world.process.output


@pytest.fixture
async def enter(browser: Browser) -> AsyncIterator[Enter]:
    """Opens a window for a person; the options are those of Playwright's `new_context`. In the end
    the console must be empty, but for what the test expected and took from `complaints`."""
    people: list[Person] = []

    async def open_window(world: World, name: str, **options: Any) -> Person:
        context = await browser.new_context(**options)
        people.append(Person(await context.new_page(), world.url, name))
        return people[-1]

    yield open_window
    for person in people:
        assert person.complaints == [], person.name


@pytest.fixture(scope="session")
def axe_source() -> str:
    """The script of axe-core, of the version in the lock file."""
    if shutil.which("npm") is None:
        pytest.skip("axe-core is needed: apt-get install npm")
    installed, lock = HERE / "node_modules/.package-lock.json", HERE / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        command = ["npm", "ci", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=HERE, check=True, timeout=INSTALL_SECONDS)
    return (HERE / "node_modules/axe-core/axe.min.js").read_text()
