"""The page in a browser that stores nothing, is full, or has stored nonsense: it plays on."""

import json

import pytest
from playwright.async_api import expect

from tests.browser.conftest import TWO_SEATS, Enter, Serve

FORBIDDEN = """
    Object.defineProperty(window, "localStorage", {
        get() { throw new DOMException("denied", "SecurityError"); },
    });
"""
FULL = """
    for (let size = 2 ** 22; size >= 1; size = Math.floor(size / 2)) {
        try {
            for (let i = 0; ; i++) localStorage.setItem(`other:${size}:${i}`, "x".repeat(size));
        } catch {}
    }
"""
WRONG = {"marks": 7, "picked": {"a": 1}, "seeds": "x", "seedHash": 5, "sent": [], "missing": "?"}
NONSENSE = ['{"marks": [', "null", "7", '"text"', "[1, 2]", json.dumps(WRONG)]
KEY = "fair-bingo:game:ann:"


@pytest.mark.parametrize("browser_is", [FORBIDDEN, FULL], ids=["forbidden", "full"])
async def test_a_game_is_played_though_nothing_can_be_stored(
    serve: Serve, enter: Enter, browser_is: str
) -> None:
    world = await serve(**TWO_SEATS, CALL_INTERVAL_SECONDS="1.2")
    ann = await enter(world, "ann")
    await ann.page.add_init_script(browser_is)
    async with world.company("bot-1"):
        ticket = await ann.join_the_game()
        await ann.mark(ticket[4])
        await ann.has_marked(ticket[4])
        await ann.sees("Every check holds.")


async def test_a_paid_player_plays_on_whatever_is_stored(serve: Serve, enter: Enter) -> None:
    world = await serve(**TWO_SEATS, CALL_INTERVAL_SECONDS="10")  # it lasts longer than this test
    ann = await enter(world, "ann")
    async with world.company("bot-1"):
        await ann.arrive()
        lobby_id = await ann.take_a_seat()
        await ann.pay()
        places = [KEY + lobby_id, *(f"{KEY}lobby_3500_{n:012x}" for n in range(30))]

        async def reload_with(nonsense: str) -> None:
            await ann.page.evaluate(
                "([places, text]) => places.forEach((place) => localStorage.setItem(place, text))",
                [places, nonsense],
            )
            await ann.page.reload()

        for nonsense in NONSENSE:
            await reload_with(nonsense)
            await ann.sees("Surprise me")
        ticket = await ann.print_a_ticket()
        await ann.wait_for_a_call()
        for number, nonsense in zip(ticket, NONSENSE, strict=False):
            await reload_with(nonsense)
            await ann.mark(number)
            await ann.has_marked(number)


async def test_a_name_that_is_none_is_not_played_under(serve: Serve, enter: Enter) -> None:
    world = await serve()
    ann = await enter(world, "ann")
    await ann.arrive()
    name = ann.page.get_by_label("You play as")
    await expect(name).to_have_value("ann")
    await ann.page.evaluate("localStorage.setItem('fair-bingo:name', 'not a name')")
    await ann.page.goto(world.url)
    await expect(name).not_to_have_value("")
    assert (await name.input_value()).startswith("guest-")
