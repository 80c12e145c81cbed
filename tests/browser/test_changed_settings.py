"""The page shows a lobby by what the lobby says of itself, whatever the page knows of tiers."""

import json
from typing import Any

from tests.browser.conftest import TWO_SEATS, Enter, Serve
from tests.browser.person import Person

GRAND_TIER = 9000
CONFIG = "document.querySelector('meta[name=fair-bingo]').content"


async def older_page(person: Person, tiers: list[dict[str, Any]]) -> None:
    """The person gets the page of a server with other settings."""
    config = json.dumps(json.dumps({"dev_login": True, "tiers": tiers}))
    # When the document is read, and before its modules run.
    await person.page.add_init_script(
        f"document.addEventListener('readystatechange', () => {CONFIG} = {config})"
    )


async def test_a_lobby_of_a_tier_that_the_page_does_not_know_is_played_by_its_own_rules(
    serve: Serve, enter: Enter
) -> None:
    world = await serve(GRAND_TIERS=str(GRAND_TIER))
    person = await enter(world, "ann")
    await older_page(person, [])
    lobby_id = await world.join("ann", GRAND_TIER)
    await person.arrive(lobby_id)
    assert (await person.page.evaluate(CONFIG)).endswith('"tiers": []}')
    await person.sees("1 of 20 taken")
    await person.sees("2 players")
    await person.press("Pay")
    await person.sees("Pick 25 numbers")
    assert await person.page.locator(".ball").count() == 75
    await person.press("Surprise me")
    await person.press("Use these numbers")
    await person.press("Print my ticket")
    assert len(await person.ticket()) == 25


async def test_a_lobby_keeps_its_rules_when_the_page_was_configured_with_others(
    serve: Serve, enter: Enter
) -> None:
    world = await serve(**TWO_SEATS)
    person = await enter(world, "ann")
    other = {"variant": "grand", "side": 5, "highest": 75, "min_players": 5, "max_players": 20}
    await older_page(person, [{"buy_in_amount": 3500, **other}])
    async with world.company("bob") as lobby_id:
        await person.arrive(lobby_id)
        await person.sees("1 of 2 taken")
        await person.sees("1 player")
        await person.arrive()
        await person.sees("5 players")  # nobody waits there for what the page offers
        assert await world.join("ann", 3500) == lobby_id
        await person.arrive(lobby_id)
        await person.pay()


async def test_lines_and_proofs_of_games_that_the_page_does_not_know_are_no_error(
    serve: Serve, enter: Enter
) -> None:
    person = await enter(await serve(), "ann")
    await person.arrive()
    words = await person.page.evaluate(
        """async () => {
            const { completePattern } = await import("/client/package/patterns.js");
            const { patternInWords } = await import("/client/parts/patterns.js");
            const patterns = { four_corners: [[0, 0], [0, 3], [3, 0], [3, 3]] };
            const grid = [0, 1, 2, 3].map((r) => [0, 1, 2, 3].map((c) => 1 + 4 * r + c));
            const line = completePattern(grid, [1, 4, 13, 16], patterns);
            return [String(line.cells), ...[line.name, "row_5", "col_1"].map(patternInWords)];
        }"""
    )
    assert words == ["0,3,12,15", "four corners", "row 5", "the second column"]
    refusal = await person.page.evaluate(
        """async () => {
            const { checkProof } = await import("/client/package/proof.js");
            return checkProof({ variant: "toString" }, {}).catch((error) => error.code);
        }"""
    )
    assert refusal == "unknown_variant"
