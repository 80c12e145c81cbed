"""The page when its server makes way for another."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from server.assembly.app import App
from server.dev.compose import DevWorld
from server.transport.close_reason import CloseReason
from tests.browser.conftest import Enter
from tests.support.wait import until

RECORD_CONNECTIONS = """
window.record = [];
const note = (what, more) => record.push({ what, at: performance.now(), ...more });
window.WebSocket = class extends WebSocket {
    constructor(...args) {
        note("open");
        super(...args);
        this.addEventListener("message", ({ data }) => {
            const draining = /"draining",({.*})]$/.exec(data);
            if (draining) note("draining", JSON.parse(draining[1]));
        });
        this.addEventListener("close", () => note("close"));
    }
};
"""
TIMER_MS = 5
"""A timer of the browser's may be so early."""
DRAINS = 4
"""By chance the page would come back late enough once or twice."""


@pytest.fixture
def world(tmp_path: Path) -> DevWorld:
    return DevWorld(tmp_path, {"PORT": "0"})


@pytest_asyncio.fixture(loop_scope="session")
async def app(world: DevWorld) -> AsyncIterator[App]:
    async with world.running() as app:
        yield app


async def test_the_page_reconnects_when_the_server_asked_it_to(
    world: DevWorld, app: App, enter: Enter
) -> None:
    ann = await enter(world, "ann")
    await ann.page.add_init_script(RECORD_CONNECTIONS)
    await ann.arrive()
    await ann.take_a_seat()
    sessions = app.sockets.gateway.eio.sockets

    async def is_in() -> None:
        await until(lambda: any(session.members for session in sessions.values()))

    async def drain() -> None:
        sid, session = next(iter(sessions.items()))
        session.close(CloseReason.DRAINING)
        await until(lambda: sid not in sessions)

    waits: list[tuple[float, float]] = []
    while len(waits) < DRAINS:
        await is_in()
        await drain()
        await is_in()
        waits = waits_of(await ann.page.evaluate("record"))
    assert all(waited_ms >= asked_ms - TIMER_MS for asked_ms, waited_ms in waits)


def waits_of(record: Sequence[Any]) -> list[tuple[float, float]]:
    """For each time that the page was asked to wait and has come back since: how long it was to,
    and how long it did (ms). A connection may also break for want of pings."""
    found = []
    for place, entry in enumerate(record):
        closed = [each["at"] for each in record[place:] if each["what"] == "close"]
        opened = [each["at"] for each in record[place:] if each["what"] == "open"]
        if entry["what"] == "draining" and opened:
            found.append((entry["retry_after_ms"], opened[0] - closed[0]))
    return found
