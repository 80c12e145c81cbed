"""The operator's page: live figures of a game that goes on, readable by everyone."""

from tests.browser.conftest import TWO_SEATS, Enter, Serve

AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


async def test_the_operator_sees_the_nodes_and_what_goes_on(
    serve: Serve, enter: Enter, axe_source: str
) -> None:
    world = await serve(**TWO_SEATS)
    ann = await enter(world, "ann", bypass_csp=True)
    await ann.page.add_init_script(axe_source)
    async with world.company("bot-1", "bot-2"):
        await ann.page.goto(f"{world.url}/ops")
        await ann.sees("Calls a second")
        calls = ann.page.locator("figure", has_text="Calls").first.locator("strong")
        await calls.filter(has_text="a second").wait_for()
        await ann.sees("Nothing is owed.")
        await ann.shoot("ops")
        found = await ann.page.evaluate("(options) => axe.run(document, options)", AXE)
    assert [violation["id"] for violation in found["violations"]] == []
