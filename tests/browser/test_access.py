"""For everyone: by keyboard, by touch, on a small screen, in both colour schemes, for readers."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import pytest
from playwright.async_api import Locator, expect

from tests.browser.conftest import TWO_SEATS, Enter, Serve
from tests.browser.person import PATIENCE_MS, Person
from tests.browser.world import World

SMALL_PHONE = {"viewport": {"width": 320, "height": 568}, "has_touch": True, "is_mobile": True}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
MOST_STOPS = 60
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

Look = Callable[[str], Awaitable[None]]


async def see_every_state(world: World, person: Person, look: Look) -> None:
    """Go through a game; `look` at each state, it is told which."""
    async with world.company("bot-1"):
        await person.arrive()
        await person.page.locator(".pip.taken").first.wait_for()
        await look("desk")
        await person.take_a_seat()
        await look("seat")
        await person.pay()
        await person.press("Surprise me")
        await look("pick")
        await person.press("Use these numbers")
        await person.sees("Arrange your ticket")
        await look("arrange")
        await person.press("Print my ticket")
        await person.hear_a_call()
        for number in (await person.ticket())[:4]:
            await person.mark(number)
        await person.press("Claim")
        await look("game")
        await person.sees("Every check holds")
        await person.page.locator("summary").click()
        await look("result")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(
    serve: Serve, enter: Enter, axe_source: str, scheme: Literal["light", "dark"]
) -> None:
    world = await serve(**TWO_SEATS, CALL_INTERVAL_SECONDS="0.25")
    # Animations in progress would be measured half transparent.
    ann = await enter(world, "ann", color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    await ann.page.add_init_script(axe_source)

    async def look(state: str) -> None:
        await ann.shoot(f"desktop-{scheme}-{state}")
        options = {"runOnly": AXE_TAGS, "resultTypes": ["violations"]}
        found = await ann.page.evaluate("(options) => axe.run(document, options)", options)
        violations = [
            (violation["id"], node["target"], node["failureSummary"])
            for violation in found["violations"]
            for node in violation["nodes"]
        ]
        assert violations == [], state

    await see_every_state(world, ann, look)


@pytest.mark.parametrize("options", [SMALL_PHONE, PHONE], ids=["320px", "390px"])
async def test_a_phone_shows_everything_without_scrolling_sideways(
    serve: Serve, enter: Enter, options: dict[str, Any]
) -> None:
    world = await serve(**TWO_SEATS, CALL_INTERVAL_SECONDS="0.25")
    width = options["viewport"]["width"]
    ann = await enter(world, "ann", color_scheme="dark" if width < 390 else "light", **options)

    async def look(state: str) -> None:
        await ann.shoot(f"phone-{width}-{state}")
        # For a moment, something that is moving may stick out.
        await ann.page.wait_for_function(f"document.documentElement.scrollWidth === {width}")

    await see_every_state(world, ann, look)


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
        assert await ann.ticket() == [5, 2, 3, 4, 1, 6, 7, 8, 9]
        await go_to(ann, "Print my ticket")
        await keyboard.press("Enter")
        await ann.hear_a_call()
        await go_to(ann, "5, row 1, column 1")
        for key in ("Space", "End", "Space"):
            await keyboard.press(key)
        assert await ann.marked() == [5, 9]
        await go_to(ann, "Claim")
        await keyboard.press("Enter")
        await expect(focused(ann)).to_contain_text("Press again to claim")
        await keyboard.press("Escape")
        await expect(focused(ann)).to_contain_text("Claim")
        for _ in range(2):
            await keyboard.press("Enter")
        await ann.sees(re.compile("the nearest still lacked"))


def focused(person: Person) -> Locator:
    """The element that has the focus."""
    return person.page.locator(":focus")


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


async def test_each_call_is_announced(serve: Serve, enter: Enter) -> None:
    world = await serve(**TWO_SEATS, CALL_INTERVAL_SECONDS="1")
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
        await expect(said).to_have_text(re.compile(r"^\d+$"), timeout=PATIENCE_MS)
        pairs = await ann.page.evaluate("same")
        assert pairs
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
        # The page hears of a touch when the browser has understood it, not when it was sent.
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


async def test_without_motion_nothing_is_animated(serve: Serve, enter: Enter) -> None:
    world = await serve(**TWO_SEATS)
    ann = await enter(world, "ann", reduced_motion="reduce")
    async with world.company("bot-1") as lobby_id:
        await ann.join_the_game()
        await world.calls(lobby_id, 2)
        assert await ann.page.evaluate("document.getAnimations().length") == 0
