"""What is behind a player, and what they let themselves do, in the page."""

import asyncio
import re
from typing import Any

import httpx
from playwright.async_api import Route, expect

from tests.browser.conftest import TWO_SEATS, Enter, Serve
from tests.browser.person import PHONE
from tests.browser.world import TIER, World
from tests.support.http import answered
from tests.support.wait import TIMEOUT_SECONDS, until

WITH_BOOKS = (
    'world.settings = world.settings.model_copy(update={"database_url": os.environ["BOOKS"]})'
)
NO_BOOKS = "status of 404"
"""What the console says of each route that needs books, whenever its answer comes."""
GAME = {"CALL_INTERVAL_SECONDS": "0.1", **TWO_SEATS}


async def past_games(world: World, name: str) -> list[Any]:
    """What the server says that this player has played."""
    headers = {"Authorization": f"Bearer {world.token(name)}"}
    async with httpx.AsyncClient(trust_env=False, timeout=TIMEOUT_SECONDS) as client:
        games = await answered(lambda: client.get(f"{world.url}/api/me/games", headers=headers))
        return list(games["games"])


async def test_a_limit_is_set_and_enforced_and_a_break_is_confirmed_first(
    serve: Serve, enter: Enter
) -> None:
    world = await serve()
    ann = await enter(world, "ann", **PHONE)
    ann.forgiven.append(NO_BOOKS)
    await ann.arrive()
    await ann.page.get_by_role("link", name="Your account").click()
    day = ann.page.get_by_label("Coins in 24 hours")
    await expect(day).to_be_editable()
    await expect(ann.page.get_by_role("heading", name="My games")).to_have_count(0)  # no books
    await day.fill(str(TIER - 1))
    await ann.press("Set limits")
    await ann.sees("Your limits are set.")
    await ann.fits(390)
    await day.fill("")
    await ann.press("Set limits")
    await ann.sees("Your limits are raised")

    await ann.page.get_by_role("link", name="Front desk").click()
    await ann.press("Take a seat")
    await ann.sees("That would pass a limit")
    ann.complaints.clear()  # what was refused over HTTP

    await ann.page.get_by_role("link", name="Your account").click()
    await ann.press("Break of 7 days")
    await ann.press("Go on playing")
    await expect(ann.page.get_by_text("You take a break")).to_have_count(0)
    await ann.press("Break of 7 days")
    await ann.press("Take the break")
    await ann.sees("You take a break until")
    ann.complaints.clear()


async def test_limits_are_not_typed_over_before_they_are_known(serve: Serve, enter: Enter) -> None:
    world = await serve()
    ann = await enter(world, "ann")
    ann.forgiven.append(NO_BOOKS)
    await ann.arrive()
    may_go_on = asyncio.Event()

    async def hold(route: Route) -> None:
        await may_go_on.wait()
        await route.continue_()

    await ann.page.route("**/api/me/limits", hold)
    await ann.page.get_by_role("link", name="Your account").click()
    day = ann.page.get_by_label("Coins in 24 hours")
    await expect(day).to_be_disabled()
    await expect(ann.page.get_by_role("button", name="Set limits")).to_be_disabled()
    may_go_on.set()
    await expect(day).to_be_editable()


async def test_games_statement_and_the_best_are_in_the_account(
    books_url: str, serve: Serve, enter: Enter
) -> None:
    world = await serve(prepare=WITH_BOOKS, BOOKS=books_url, **GAME)
    async with world.company("ann", "bob", claim_delay_seconds=0) as lobby_id:
        await until(lambda: _has_one(world))
    (game,) = await past_games(world, "ann")
    ann = await enter(world, "ann", **PHONE)
    await ann.arrive("account")
    await expect(ann.page.locator(".past-games strong")).to_contain_text(outcome(game))
    check = ann.page.get_by_role("link", name=re.compile("^Check the draw"))
    await expect(check).to_have_attribute("href", f"/verify#{lobby_id}")
    await ann.sees("Paid in, 30 days")
    await expect(ann.page.locator(".facts dd").first).to_have_text(f"{TIER:,}")
    await ann.sees("Nobody is listed here yet")
    await ann.press("Show me here")
    await ann.sees("You are listed here")
    await expect(ann.page.locator(".leaders tbody tr")).to_have_attribute("aria-current", "true")
    await ann.fits(390)
    await ann.press("Do not show me")
    await ann.sees("You are not listed here.")
    async with ann.page.expect_download() as saved:
        await ann.press("Save everything as a file")
    text = (await (await saved.value).path()).read_text()
    assert text.splitlines()[0] == "entry_id,at,kind,amount,lobby_id,invoice_id,reference"


def outcome(game: Any) -> str:
    """How the page says how a game ended."""
    if game["won"]:
        return "Won:"
    if game["kicked"]:
        return "Out after a false claim"
    return "Nobody won" if game["outcome"] == "no_winner" else "Lost"


async def _has_one(world: World) -> bool:
    return len(await past_games(world, "ann")) == 1


async def test_a_winner_reads_that_the_coins_are_on_their_way_and_then_what_paid_them(
    books_url: str, serve: Serve, enter: Enter
) -> None:
    world = await serve(prepare=WITH_BOOKS, BOOKS=books_url, **GAME)
    await order(world, "payouts/pause")
    winner, lobby_id = await a_winner(world)
    at_table = await enter(world, winner, **PHONE)
    await at_table.arrive(lobby_id)
    await at_table.sees(f"{2 * TIER:,} coins are on their way")
    at_desk = await enter(world, winner, **PHONE)
    await at_desk.arrive()
    await at_desk.sees(f"{2 * TIER:,} coins are on their way")
    await order(world, "payouts/resume")
    for person in (at_table, at_desk):
        await person.sees(re.compile(f"{2 * TIER:,} coins were paid, reference dev-"))
        await person.fits(390)
    payout = (await past_games(world, winner))[0]["payout"]
    await at_table.sees(f"reference {payout['reference']}")


async def order(world: World, action: str) -> None:
    """Do what an operator does."""
    async with httpx.AsyncClient(trust_env=False, timeout=TIMEOUT_SECONDS) as client:
        url, why = f"{world.url}/ops/api/{action}", {"reason": "a test"}
        await answered(lambda: client.post(url, json=why))


async def a_winner(world: World) -> tuple[str, str]:
    """Who won the last game of two bots, which is behind them, and its id."""
    while True:  # where the machine is slow, nobody claims in time
        async with world.company("ann", "bob", claim_delay_seconds=0) as lobby_id:
            await until(lambda: _is_past(world, lobby_id))
        for name in ("ann", "bob"):
            if (await past_games(world, name))[0]["won"]:
                return name, lobby_id


async def _is_past(world: World, lobby_id: str) -> bool:
    return lobby_id in [game["lobby_id"] for game in await past_games(world, "ann")]
