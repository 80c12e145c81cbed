"""The page on a phone in a pocket: asleep, cut off, in two tabs, installed."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.conftest import TWO_SEATS, Enter, Serve
from tests.browser.person import Person
from tests.browser.test_connection import Cutter, cutter
from tests.browser.test_words import WORDS
from tests.support.wait import until

__all__ = ["cutter"]

RECORD_THE_DEVICE = """
    window.vibrations = [];
    Navigator.prototype.vibrate = (pattern) => vibrations.push(pattern) > 0;
    window.locks = [];
    WakeLock.prototype.request = async (type) => {
        const lock = { type, released: false, release: async () => void (lock.released = true) };
        locks.push(lock);
        return lock;
    };
"""
HELD = "locks.filter((lock) => !lock.released).length"


async def sleep_through(person: Person, cutter: Cutter, lobby_id: str, calls: int) -> None:
    """The tab is hidden and frozen for so many calls, and its connection breaks meanwhile."""
    session = await person.page.context.new_cdp_session(person.page)
    await session.send("Page.setWebLifecycleState", {"state": "frozen"})
    cutter.cut()
    await cutter.world.calls(lobby_id, calls)
    await session.send("Page.setWebLifecycleState", {"state": "active"})
    await session.detach()


@pytest.mark.parametrize("cutter", ["0.4"], indirect=True)
async def test_a_tab_that_was_frozen_on_an_unsteady_network_has_missed_nothing(
    cutter: Cutter, enter: Enter
) -> None:
    ann = await enter(cutter.outside, "ann")
    async with cutter.world.company("bot-1") as lobby_id:
        await ann.arrive()
        await ann.take_a_seat()
        await ann.pay()
        await ann.press_print()
        await cutter.world.calls(lobby_id, 1)
        for _ in range(3):
            await sleep_through(ann, cutter, lobby_id, 4)
            cutter.cut()
            await cutter.world.calls(lobby_id, 1)
        await ann.sees("Nobody won")
        await ann.sees("The 50 numbers you heard are these")
        await ann.sees("Your ticket is the one you held")
    ann.forgive_cuts()


@pytest.mark.parametrize("cutter", ["0.2"], indirect=True)
async def test_on_a_slow_network_a_seat_a_ticket_and_every_number_are_had(
    cutter: Cutter, enter: Enter
) -> None:
    ann = await enter(cutter.outside, "ann")
    async with cutter.world.company("bot-1"):
        await ann.arrive()
        cutter.proxy.late_seconds = 0.3
        await ann.take_a_seat()
        await ann.pay()
        await ann.press_print()
        await ann.sees("Nobody won")
        await ann.sees("The 50 numbers you heard are these")
        await ann.sees("Your ticket is the one you held")


@pytest.mark.parametrize("cutter", ["600"], indirect=True)
async def test_a_connection_that_died_silently_is_noticed_when_the_player_looks(
    cutter: Cutter, enter: Enter
) -> None:
    ann = await enter(cutter.outside, "ann")
    async with cutter.world.company("bot-1") as lobby_id:
        await ann.arrive()
        await ann.take_a_seat()
        await ann.pay()
        opened: list[str] = []
        ann.page.on("websocket", lambda socket: opened.append(socket.url))
        cutter.proxy.silent = True
        await ann.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await ann.sees("Connection lost")
        await until(lambda: len(opened) > 0)
        cutter.proxy.cut()
        cutter.proxy.silent = False
        await ann.print_a_ticket()

        async def is_ready() -> bool:  # once the server has the ticket, too
            async with cutter.world.watch(lobby_id) as lobby:
                return {player.alien_id: player.ready for player in lobby.view.players}["ann"]

        await until(is_ready)
    ann.forgive_cuts()


async def test_two_tabs_of_one_player_have_the_same_marks_and_one_claim(
    serve: Serve, enter: Enter
) -> None:
    world = await serve(**TWO_SEATS)
    ann = await enter(world, "ann")
    async with world.company("bot-1") as lobby_id:
        ticket = await ann.join_the_game()
        other = Person(await ann.page.context.new_page(), world.url, "ann")
        await other.arrive(lobby_id)
        await other.wait_for_a_call()
        await ann.mark(ticket[3])
        await other.has_marked(ticket[3])
        await other.mark(ticket[4])
        await ann.has_marked(*ticket[3:5])
        buttons = [tab.page.locator("button.claim") for tab in (ann, other)]
        twice = "(button) => { button.click(); button.click(); }"
        await asyncio.gather(*(button.evaluate(twice) for button in buttons))
        for tab in (ann, other):
            await tab.sees("may watch how it ends")
        async with world.watch(lobby_id) as lobby:
            assert lobby.view.active_players == 1
    assert other.complaints == []


async def test_without_a_network_the_page_shows_that_and_recovers_by_itself(
    cutter: Cutter, enter: Enter
) -> None:
    ann = await enter(cutter.outside, "ann")
    await ann.arrive()
    await ann.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await ann.arrive()
    cutter.proxy.resetting = True
    cutter.proxy.cut()
    await ann.page.reload()
    await ann.sees("You are offline")
    cutter.proxy.resetting = False
    await expect(ann.page.get_by_role("button", name="Take a seat")).to_be_visible()
    kept = await ann.page.evaluate(
        """async () => {
            const found = await Promise.all((await caches.keys()).map(async (name) => {
                const requests = await (await caches.open(name)).keys();
                return requests.map(({ url }) => new URL(url).pathname);
            }));
            return found.flat().sort();
        }"""
    )
    assert kept == [
        *("/client/css/base.css", "/client/css/controls.css", "/client/css/inks.css"),
        *("/client/game/storage.js", "/client/icon.svg"),
        *("/client/offline/index.html", "/client/offline/offline.js"),
        *(f"/client/words/{path.name}" for path in sorted(WORDS.iterdir())),
    ]
    ann.forgive_cuts()


async def test_the_page_can_be_installed(serve: Serve, enter: Enter) -> None:
    ann = await enter(await serve(), "ann")
    await ann.arrive()
    await ann.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    session = await ann.page.context.new_cdp_session(ann.page)
    manifest = await session.send("Page.getAppManifest")
    assert manifest["errors"] == []
    errors = (await session.send("Page.getInstallabilityErrors"))["installabilityErrors"]
    assert [error["errorId"] for error in errors if error["errorId"] != "in-incognito"] == []


async def test_a_call_is_signalled_only_to_who_wants_it_and_the_screen_stays_on_in_a_game(
    serve: Serve, enter: Enter
) -> None:
    world = await serve(**TWO_SEATS)
    ann = await enter(world, "ann")
    await ann.page.add_init_script(RECORD_THE_DEVICE)

    async def read(what: str) -> Any:
        return await ann.page.evaluate(what)

    async def is_held(how_many: int) -> None:
        async def holds() -> bool:
            return bool(await read(HELD) == how_many)

        await until(holds)

    async with world.company("bot-1") as lobby_id:
        await ann.arrive()
        await ann.take_a_seat()
        assert await read(HELD) == 0
        await ann.pay()
        await ann.print_a_ticket()
        await ann.wait_for_a_call()
        await is_held(1)
        await read("void (locks.at(-1).released = true)")  # as when the screen is locked
        await read("void document.dispatchEvent(new Event('visibilitychange'))")
        await is_held(1)
        await world.calls(lobby_id, 1)
        assert await read("vibrations.length") == 0
        for name in ("Vibration", "Sound"):
            await expect(ann.page.get_by_role("button", name=name, pressed=False)).to_be_visible()
            await ann.press(name)
        before = await read("vibrations.length")

        async def vibrated() -> bool:
            return bool(await read("vibrations.length") > before)

        await until(vibrated)
        await ann.page.reload()
        for name in ("Vibration", "Sound"):
            await expect(ann.page.get_by_role("button", name=name, pressed=True)).to_be_visible()
        await is_held(1)
        await ann.claim()
        await ann.sees("may watch how it ends")
        await is_held(0)
