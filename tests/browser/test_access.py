"""For everyone: by keyboard, by touch, for those who listen, without motion."""

import re

from playwright.async_api import expect

from tests.browser.conftest import MOVING, TWO_SEATS, Enter, Serve
from tests.browser.person import PHONE, TIMEOUT_MS, Person
from tests.support.wait import until

MOST_STOPS = 60


async def test_a_game_is_played_by_keyboard_alone(serve: Serve, enter: Enter) -> None:
    world = await serve(**TWO_SEATS, CALL_INTERVAL_SECONDS="3")
    ann = await enter(world, "ann")
    keyboard = ann.page.keyboard
    async with world.company("bot-1"):
        await ann.arrive()
        await go_to(ann, "Take a seat")
        await keyboard.press("Enter")
        await ann.sees("A seat is held for you")
        await go_to(ann, "Pay")
        await keyboard.press("Enter")
        await ann.sees("Pick 9 numbers")
        await go_to(ann, "1")
        for _ in range(9):
            await keyboard.press("Space")
            await keyboard.press("ArrowRight")
        await go_to(ann, "Use these numbers")
        await keyboard.press("Enter")
        await ann.sees("Arrange your ticket")
        await go_to(ann, "1, row 1, column 1")
        for key in ("Space", "ArrowRight", "ArrowDown", "Space"):
            await keyboard.press(key)
        cells = ann.page.locator(".cell")
        await expect(cells).to_have_text([str(number) for number in (5, 2, 3, 4, 1, 6, 7, 8, 9)])
        await go_to(ann, "Print my ticket")
        await keyboard.press("Enter")
        await ann.wait_for_a_call()
        await go_to(ann, "5, row 1, column 1")
        for key in ("Space", "End", "Space"):
            await keyboard.press(key)
        await ann.has_marked(5, 9)
        await go_to(ann, "Claim")
        await until(lambda: shows(ann, "Enter", "Press again to claim"), TIMEOUT_MS / 1000)
        await until(lambda: shows(ann, "Escape", "Claim"), TIMEOUT_MS / 1000)
        await until(lambda: shows(ann, "Enter", "Press again to claim"), TIMEOUT_MS / 1000)
        lacked = ann.page.get_by_text("the nearest still lacked").first

        async def is_claimed() -> bool:  # not by a press that came too late, which arms it again
            if not await lacked.is_visible():
                await keyboard.press("Enter")
            return await lacked.is_visible()

        await until(is_claimed, TIMEOUT_MS / 1000)


async def shows(person: Person, key: str, text: str) -> bool:
    """Whether, after this key, what has the focus begins like this. Not so if this machine takes
    longer to look than a button stays armed."""
    await person.page.keyboard.press(key)
    return str(await person.page.evaluate("document.activeElement.textContent")).startswith(text)


async def go_to(person: Person, name: str) -> None:
    """Press Tab until a control whose name begins like this has the focus."""
    for _ in range(MOST_STOPS):
        label = await person.page.evaluate(
            "document.activeElement.ariaLabel ?? document.activeElement.textContent"
        )
        tag = await person.page.evaluate("document.activeElement.tagName")
        if tag in ("BUTTON", "A") and label.startswith(name):
            return
        await person.page.keyboard.press("Tab")
    raise AssertionError(f"no stop at {name!r}")


async def test_each_call_is_announced_to_a_screen_reader(serve: Serve, enter: Enter) -> None:
    world = await serve(**TWO_SEATS)
    ann = await enter(world, "ann")
    async with world.company("bot-1") as lobby_id:
        await ann.join_the_game()
        said = ann.page.locator("#polite")
        await ann.page.evaluate(
            """() => {
                window.same = [];
                new MutationObserver(() => same.push([
                    document.querySelector("#polite").textContent,
                    document.querySelector(".latest").textContent,
                ])).observe(document.querySelector(".latest"), { childList: true });
            }"""
        )
        await world.calls(lobby_id, 3)
        await expect(said).to_have_text(re.compile(r"^\d+$"))
        await until(lambda: ann.page.evaluate("same.length > 0"), TIMEOUT_MS / 1000)
        pairs = await ann.page.evaluate("same")
        assert all(announced == shown for announced, shown in pairs)


async def test_numbers_are_moved_by_touch(serve: Serve, enter: Enter) -> None:
    world = await serve(**TWO_SEATS)
    ann = await enter(world, "ann", **PHONE)
    async with world.company("bot-1"):
        await ann.arrive()
        await ann.take_a_seat()
        await ann.pay()
        await ann.press("Surprise me")
        await ann.press("Use these numbers")
        before = await ann.ticket()
        await drag_by_touch(ann, 0, 4)
        cells = ann.page.locator(".cell")
        # The page gets a touch when the browser has understood it, not when it was sent.
        await expect(cells.nth(0)).to_have_text(str(before[4]))
        await expect(cells.nth(4)).to_have_text(str(before[0]))
        await cells.nth(8).tap()
        await expect(cells.nth(8)).to_have_attribute("aria-pressed", "true")
        await cells.nth(1).tap()
        await expect(cells.nth(1)).to_have_text(str(before[8]))


async def drag_by_touch(person: Person, start: int, end: int) -> None:
    """Drag a cell onto another with a finger."""
    cells = person.page.locator(".cell")
    points = []
    for index in (start, end):
        box = await cells.nth(index).bounding_box()
        assert box is not None
        points.append((box["x"] + box["width"] / 2, box["y"] + box["height"] / 2))
    (x0, y0), (x1, y1) = points
    devtools = await person.page.context.new_cdp_session(person.page)
    steps = [
        ("touchStart", [{"x": x0, "y": y0}]),
        ("touchMove", [{"x": (x0 + x1) / 2, "y": (y0 + y1) / 2}]),
        ("touchMove", [{"x": x1, "y": y1}]),
        ("touchEnd", []),
    ]
    for kind, touches in steps:
        await devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


async def test_what_moves_stands_still_for_who_wants_no_motion(serve: Serve, enter: Enter) -> None:
    world = await serve(**TWO_SEATS)
    ann = await enter(world, "ann", **MOVING)
    async with world.company("bot-1") as lobby_id:
        await ann.join_the_game()
        await world.calls(lobby_id, 2)
        await until(lambda: is_animated(ann), TIMEOUT_MS / 1000)
        await ann.page.emulate_media(reduced_motion="reduce")
        assert not await is_animated(ann)


async def is_animated(person: Person) -> bool:
    return bool(await person.page.evaluate("document.getAnimations().length"))
