"""Chromium, the development server, and people who play in the one at the other."""

import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from server.dev.ports import free_port
from tests.browser.person import Person
from tests.browser.world import TIER, World, program
from tests.support.late import LATE
from tests.support.npm import has_node, install_packages
from tests.support.process import ChildProcess, StartProcess

HERE = Path(__file__).parent
# The one without windows draws none, at a third of the cost; what shows a page is the same in both.
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
LAUNCH_MS = 200_000

# However slow the browser: nobody's ticket is arranged for them, and the game is still on.
BASE = {"BUY_IN_TIERS": str(TIER), "CALL_INTERVAL_SECONDS": "2", "ARRANGING_SECONDS": "3600"}

TWO_SEATS = {"MIN_PLAYERS": "2", "MAX_PLAYERS": "2"}
"""The game begins when the second player has paid."""

STILL: dict[str, Any] = {"reduced_motion": "reduce"}
MOVING: dict[str, Any] = {"reduced_motion": "no-preference"}

Serve = Callable[..., Awaitable[World]]
Enter = Callable[..., Awaitable[Person]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests here run in one event loop, the browser's: to start a browser takes longer than
    most of what they do in it."""
    for item in items:
        if HERE in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium, for all tests of the session."""
    if CHROMIUM is None:
        pytest.skip("a browser is needed: apt-get install chromium-headless-shell")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            # Without a graphics card it would imitate one, at twice the cost of doing without.
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
            timeout=LAUNCH_MS,
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def serve(start_process: StartProcess, tmp_path: Path) -> AsyncIterator[Serve]:
    """Starts the development server, the arguments are settings; `state` names what it stores,
    `prepare` is for `program`. In the end its log must be clean."""
    worlds: list[World] = []

    async def start(state: str = "state", prepare: str = "", **settings: str) -> World:
        environment = BASE | {"PORT": str(free_port())} | settings
        command = (sys.executable, "-c", program(prepare), str(tmp_path / state))
        worlds.append(await running(start_process(*command, **environment)))
        return worlds[-1]

    yield start
    for world in worlds:
        assert_clean(world)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def untouched_world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A development server for everyone who only looks: nobody takes a seat."""
    directory = tmp_path_factory.mktemp("world")
    command = (sys.executable, "-c", program(), str(directory / "state"))
    process = ChildProcess(command, BASE | {"PORT": str(free_port())}, directory / "output")
    try:
        world = await running(process)
        yield world
        assert_clean(world)
    finally:
        process.kill()


async def running(process: ChildProcess) -> World:
    """The server, when it is ready."""
    found = await process.wait_for_line(r"^running on (http://\S+)$")
    return World(process, found[1])


def assert_clean(world: World) -> None:
    """There is nothing in its log that should trouble anybody."""
    logged = [line for line in world.process.output.splitlines() if not LATE.search(line)]
    for word in ('"level": "warning"', '"level": "error"', "Traceback"):
        assert not any(word in line for line in logged), world.process.output


@pytest_asyncio.fixture(loop_scope="session")
async def enter(browser: Browser) -> AsyncIterator[Enter]:
    """Opens a window for a person; the options are those of Playwright's `new_context`. Nothing
    moves there, unless they say so: to draw sixty times a second costs more than all else. In the
    end the console must be empty, but for what the test expected and took from `complaints`."""
    people: list[Person] = []

    async def open_window(world: World, name: str, **options: Any) -> Person:
        context = await browser.new_context(**STILL | options)
        people.append(Person(await context.new_page(), world.url, name))
        return people[-1]

    yield open_window
    for person in people:
        await person.page.context.close()
    for person in people:
        assert person.complaints == [], person.name


@pytest.fixture(scope="session")
def axe_source() -> str:
    """The script of axe-core, of the version in the lock file."""
    if not has_node():
        pytest.skip("axe-core is needed: apt-get install npm")
    return (install_packages(HERE, "ci") / "axe-core/axe.min.js").read_text()
