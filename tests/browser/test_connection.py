"""The page on a bad network: what was under way when the connection broke, and coming back."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from playwright.async_api import expect

from server.dev.ports import free_port
from tests.browser.conftest import TWO_SEATS, Enter, Serve
from tests.browser.person import TIMEOUT_MS
from tests.browser.world import World
from tests.support.proxy import Proxy

WATCH_FOR_A_BARE_HAND = """
    window.bare = 0;
    new MutationObserver(() => {
        if (document.querySelector('.play[data-watching="true"]')) bare += 1;
    }).observe(document, { subtree: true, childList: true, attributes: true });
"""
PRESS_BEFORE_ANY_ANSWER = """async (button) => {
    for (const _ of Array(4)) {
        button.click();
        await null;
    }
}"""


class Cutter:
    """A proxy in front of a server, whose connections are cut while answers are under way."""

    def __init__(self, world: World, proxy: Proxy) -> None:
        self.world = world
        self.proxy = proxy
        self.outside = replace(world, url=proxy.url)

    def lose_answers(self) -> None:
        """From now on what the server says does not arrive."""
        self.proxy.hold()

    def cut(self) -> None:
        """The connections break, and what was said is lost. New ones are good."""
        self.proxy.cut()
        self.proxy.release()


@pytest_asyncio.fixture(loop_scope="session")
async def cutter(serve: Serve, request: pytest.FixtureRequest) -> AsyncIterator[Cutter]:
    """The way to a server with two seats to a game. The parameter, if there is one, is the seconds
    between two calls."""
    interval = getattr(request, "param", "2")
    world = await serve(**TWO_SEATS, CALL_INTERVAL_SECONDS=interval)
    async with Proxy(world.url) as proxy:
        yield Cutter(world, proxy)


async def test_a_ticket_whose_answer_was_lost_is_there_when_the_game_begins(
    cutter: Cutter, enter: Enter
) -> None:
    ann = await enter(cutter.outside, "ann")
    async with cutter.world.company("bot-1") as lobby_id:
        await ann.arrive()
        await ann.take_a_seat()
        await ann.pay()
        await ann.press("Surprise me")
        await ann.press("Use these numbers")
        await ann.sees("Arrange your ticket")
        printed = await ann.ticket()
        cutter.lose_answers()
        await ann.press("Print my ticket")
        await cutter.world.calls(lobby_id, 1)
        cutter.cut()
        await ann.wait_for_a_call()
        assert await ann.ticket() == printed
    ann.forgive_cuts()


async def test_a_command_under_way_when_the_connection_breaks_is_carried_out(
    cutter: Cutter, enter: Enter
) -> None:
    ann = await enter(cutter.outside, "ann")
    async with cutter.world.company("bot-1"):
        await ann.arrive()
        await ann.take_a_seat()
        await ann.pay()
        await ann.press("Surprise me")
        cutter.lose_answers()
        await ann.press("Use these numbers")
        cutter.cut()
        await ann.sees("Arrange your ticket")
    ann.forgive_cuts()


async def test_a_claim_is_sent_once_however_often_it_is_pressed(serve: Serve, enter: Enter) -> None:
    world = await serve(**TWO_SEATS)
    ann = await enter(world, "ann")
    async with world.company("bot-1"):
        await ann.join_the_game()
        button = ann.page.locator("button.claim")
        await button.click(trial=True)
        await button.evaluate(PRESS_BEFORE_ANY_ANSWER)
        await ann.page.get_by_text("the nearest still lacked").first.wait_for()
        await ann.sees_no("You are out of this game after a false claim.")


async def test_a_busy_server_is_asked_again_without_a_notice(serve: Serve, enter: Enter) -> None:
    world = await serve(**TWO_SEATS, MESSAGE_RATE="1", MESSAGE_BURST="1")
    ann = await enter(world, "ann")
    await ann.arrive()
    await ann.take_a_seat()
    await ann.pay()
    await ann.press("Surprise me")
    await ann.press("Use these numbers")
    await ann.sees("Arrange your ticket")
    await ann.press("Print my ticket")
    await ann.sees("Your ticket is printed")
    await expect(ann.page.locator(".problem:not(:empty)")).to_have_count(0)


async def test_what_is_printed_in_another_tab_is_printed_in_this_one(
    serve: Serve, enter: Enter
) -> None:
    world = await serve(MIN_PLAYERS="3", MAX_PLAYERS="3")
    ann, other_tab = await enter(world, "ann"), await enter(world, "ann")
    async with world.company("bot-1") as lobby_id:
        await ann.arrive()
        await ann.take_a_seat()
        await ann.pay()
        await other_tab.arrive(lobby_id)
        await other_tab.print_a_ticket()
        await other_tab.sees("Your ticket is printed")
        await ann.sees("Your ticket is printed")
        assert await ann.ticket() == await other_tab.ticket()
        await other_tab.press("Shuffle")
        await other_tab.press("Print it again")
        await expect(other_tab.page.get_by_role("button", name="Print it again")).to_be_disabled()
        async with world.company("bot-2"):
            for person in (ann, other_tab):
                await person.wait_for_a_call()
            printed = await other_tab.ticket()
            first = ann.page.locator(".play .cell").first
            await expect(first).to_have_text(str(printed[0]), timeout=TIMEOUT_MS)
            assert await ann.ticket() == printed


async def test_a_print_that_starts_the_game_does_not_hide_the_ticket(
    serve: Serve, enter: Enter
) -> None:
    world = await serve(**TWO_SEATS)
    ann = await enter(world, "ann")
    await ann.page.add_init_script(WATCH_FOR_A_BARE_HAND)
    async with world.company("bot-1"):
        await ann.join_the_game()
        assert await ann.page.evaluate("bare") == 0


async def test_whoever_is_in_a_lobby_that_is_gone_is_led_to_the_front_desk(
    serve: Serve, enter: Enter
) -> None:
    port = str(free_port())
    world = await serve(PORT=port)
    ann = await enter(world, "ann")
    await ann.arrive()
    await ann.take_a_seat()
    world.process.kill()
    await serve(PORT=port, state="empty")
    await ann.sees("The game you were in is over, and no longer kept here.")
    await expect(ann.page.get_by_role("heading", name="Nine numbers")).to_be_visible()
    await ann.sees_no("Connection lost")
    ann.forgive_cuts()
