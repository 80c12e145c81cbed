"""The page in each state of a game: accessible in both colour schemes, whole on a small screen."""

from collections.abc import Awaitable, Callable

from tests.browser.axe import faults
from tests.browser.conftest import TWO_SEATS, Enter, Serve
from tests.browser.person import PHONE, Person
from tests.browser.world import World

PHONES = [(320, 568), (390, 844)]

Look = Callable[[str], Awaitable[None]]


async def see_every_state(world: World, person: Person, look: Look) -> None:
    """Go through a game; `look` at each state, by its name."""
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
        await person.wait_for_a_call()
        for number in (await person.ticket())[:4]:
            await person.mark(number)
        await person.press("Claim")
        await look("game")
        await person.sees("Every check holds")
        for details in await person.page.locator("summary").all():
            await details.click()
        await look("result")


async def test_axe_finds_nothing_in_either_colour_scheme(
    serve: Serve, enter: Enter, axe_source: str
) -> None:
    world = await serve(**TWO_SEATS, CALL_INTERVAL_SECONDS="1.2")
    # Animations in progress would be measured half transparent.
    ann = await enter(world, "ann", reduced_motion="reduce", bypass_csp=True)
    await ann.page.add_init_script(axe_source)

    async def look(state: str) -> None:
        assert await faults(ann, f"desktop-{state}") == [], state

    await see_every_state(world, ann, look)


async def test_a_phone_shows_everything_without_scrolling_sideways(
    serve: Serve, enter: Enter
) -> None:
    world = await serve(**TWO_SEATS, CALL_INTERVAL_SECONDS="1.2")
    ann = await enter(world, "ann", **PHONE)

    async def look(state: str) -> None:
        for width, height in PHONES:
            await ann.page.set_viewport_size({"width": width, "height": height})
            await ann.shoot(f"phone-{width}-{state}")
            await ann.fits(width)

    await see_every_state(world, ann, look)
