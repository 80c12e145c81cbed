"""The operators' page: live figures of a game that goes on, and a place to work."""

import re

import httpx
from playwright.async_api import expect

from tests.browser.axe import faults
from tests.browser.conftest import TWO_SEATS, Enter, Serve
from tests.browser.person import PHONE, TIMEOUT_MS, Person
from tests.browser.test_account import GAME, WITH_BOOKS, a_winner
from tests.browser.world import World
from tests.support.http import answered
from tests.support.wait import TIMEOUT_SECONDS, until

TOKEN = "sixteen-characters-or-more"


async def find(person: Person, name: str) -> None:
    """Look for a player or a lobby, by keyboard."""
    await person.page.get_by_label("Player or lobby").fill(name)
    await person.page.keyboard.press("Enter")
    await expect(person.page.get_by_role("heading", name=name)).to_be_visible()


def client(world: World, token: str) -> httpx.AsyncClient:
    """An operator's client of the routes."""
    return httpx.AsyncClient(
        base_url=world.url,
        headers={"Authorization": f"Bearer {token}"},
        timeout=TIMEOUT_SECONDS,
        trust_env=False,
    )


async def confirm(person: Person, button: str, reason: str) -> None:
    """Give the reason, and do it, by keyboard."""
    dialog = person.page.get_by_role("dialog")
    await dialog.get_by_label("Why, for the log").fill(reason)
    await dialog.get_by_role("button", name=button).focus()
    await person.page.keyboard.press("Enter")
    await expect(dialog).to_be_hidden()


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
        log = ann.page.get_by_role("heading", name="What operators did").locator("..")
        await expect(log).to_have_text("What operators didThe log holds: nobody has altered it.")
        assert await faults(ann, "ops") == []


async def test_an_operator_bans_a_player_and_voids_a_game_on_a_phone_by_keyboard(
    serve: Serve, enter: Enter, axe_source: str
) -> None:
    # The game is on until it is voided.
    settings = {**TWO_SEATS, "CALL_INTERVAL_SECONDS": "10", "OPS_TOKENS": f"eve:admin:{TOKEN}"}
    world = await serve(**settings)
    eve = await enter(
        world,
        "eve",
        bypass_csp=True,
        http_credentials={"username": "eve", "password": TOKEN},
        **PHONE,
    )
    await eve.page.add_init_script(axe_source)
    async with world.company("bot-1", "bot-2") as lobby_id:
        await eve.page.goto(f"{world.url}/ops")
        await eve.sees("eve, admin")
        await find(eve, lobby_id)
        await eve.sees("the game starts for 7000 coins")
        await eve.fits(390)
        assert await faults(eve) == []
        await eve.press("Void the game")
        await eve.sees("owes 7,000 coins back to 2 players")
        assert await faults(eve, "ops-void") == []
        await confirm(eve, "Void the game", "a fault of ours")
        await eve.sees(f"{lobby_id} is voided.")
        await eve.sees("finished: voided")
        await find(eve, "bot-1")
        await eve.press("Ban")
        await eve.sees("A seat that is paid plays on and may win.")
        await confirm(eve, "Ban", "plays with himself")
        await eve.sees("bot-1 is banned.")
        await eve.press("Lift the ban")
        await eve.page.keyboard.press("Escape")
        await expect(eve.page.get_by_role("dialog")).to_be_hidden()
        await eve.press("Close 3,500")
        await confirm(eve, "Close 3,500", "until we know more")
        await eve.sees("The tier 3,500 is closed.")
        await expect(eve.page.get_by_role("button", name="Open 3,500")).to_be_visible()
        await eve.press("Announce")
        await eve.page.get_by_label("Text", exact=True).fill("Back at <b>noon</b>.")
        await confirm(eve, "Announce", "so that nobody waits")
        await eve.sees("The announcement is sent.")
        await eve.sees("The log holds")
        rows = eve.page.get_by_role("region", name="What operators did").locator("tbody tr")
        await expect(rows).to_have_count(4)
        await expect(rows.first).to_contain_text("Back at <b>noon</b>.so that nobody waits")
        await expect(rows.last).to_contain_text("a fault of ours")
        await eve.fits(390)
        await eve.shoot("ops-work")
    stored = await eve.page.evaluate(
        "[localStorage.length, sessionStorage.length, document.cookie]"
    )
    assert stored == [0, 0, ""]


async def test_a_cashier_approves_retries_refuses_and_pauses_payouts_on_a_phone_by_keyboard(
    books_url: str, serve: Serve, enter: Enter, axe_source: str
) -> None:
    settings = {
        **GAME,
        "PAYOUT_APPROVAL_COINS": "1",
        "OPS_TOKENS": f"eve:cashier:{TOKEN},bob:cashier:{TOKEN[::-1]}",
    }
    world = await serve(prepare=WITH_BOOKS, BOOKS=books_url, **settings)
    eve = await enter(
        world,
        "eve",
        bypass_csp=True,
        http_credentials={"username": "eve", "password": TOKEN},
        **PHONE,
    )
    await eve.page.add_init_script(axe_source)
    winner, lobby_id = await a_winner(world)
    await eve.page.goto(f"{world.url}/ops")
    await eve.sees("eve, cashier")
    rows = eve.page.get_by_role("list", name="Payouts").locator("li")

    async def is_held() -> bool:
        await eve.press("Look again")
        return await rows.filter(has_text=f"7,000 coins to {winner}").count() == 1

    await until(is_held, TIMEOUT_MS / 1000)
    await eve.fits(390)
    assert await faults(eve) == []
    await find(eve, lobby_id)
    await eve.sees("waits for approval")  # where the game is in its payout

    await eve.press("Pause payouts")
    await eve.sees("Nobody is paid until somebody lets payouts go on.")
    assert await faults(eve) == []
    await confirm(eve, "Pause payouts", "the bank is closed")
    await eve.sees("Payouts pause.")
    await eve.sees("Payouts pause: an operator said so.")  # by figures that come later

    await rows.get_by_role("button", name="Approve").press("Enter")
    await eve.sees(f"Pays 7,000 coins to {winner} when another operator approves")
    assert await faults(eve, "ops-approve") == []
    await confirm(eve, "Approve", "checked")
    await eve.sees("your approval counts")
    await expect(rows.first).to_contain_text("approved by eve")
    await rows.get_by_role("button", name="Refuse").press("Enter")
    await eve.sees(f"Does not pay 7,000 coins to {winner}")
    await confirm(eve, "Refuse", "<b>not</b> theirs")
    await eve.sees("it is refused")
    await expect(rows).to_have_text("None.")

    await eve.page.get_by_label("How far they are").select_option("refused")
    await expect(rows.first).to_contain_text("<b>not</b> theirs (eve)")
    await rows.get_by_role("button", name="Try again").press("Enter")
    await confirm(eve, "Try again", "they are")
    await eve.sees("it is tried again")
    await eve.press("Let payouts go on")
    await eve.sees("The hour of the limit counts anew.")
    await confirm(eve, "Let payouts go on", "the bank is open")
    await eve.sees("Payouts go on.")
    await eve.sees_no("Payouts pause: an operator said so.")
    await eve.page.get_by_label("How far they are").select_option("held")
    await until(is_held, TIMEOUT_MS / 1000)  # eve alone is not enough
    payout_id = await rows.locator("small").inner_text()
    async with client(world, TOKEN[::-1]) as http:
        body = {"payout_id": payout_id}
        await answered(lambda: http.post("/ops/api/payouts/approve", json=body))
    await eve.page.get_by_label("How far they are").select_option("settled")

    async def is_paid() -> bool:
        await eve.press("Look again")
        return await rows.filter(has_text="reference dev-").count() == 1

    await until(is_paid, TIMEOUT_MS / 1000)
    await eve.fits(390)
    await eve.shoot("ops-payouts")


async def test_the_page_shows_only_what_the_role_may_do(serve: Serve, enter: Enter) -> None:
    world = await serve(**TWO_SEATS, OPS_TOKENS=f"vic:viewer:{TOKEN}")
    vic = await enter(world, "vic", http_credentials={"username": "vic", "password": TOKEN})
    async with world.company("bot-1", "bot-2") as lobby_id:
        await vic.page.goto(f"{world.url}/ops")
        await vic.sees("vic, viewer")
        await find(vic, lobby_id)
        for name in ("Void", "Ban", "Close", "Announce", "Approve", "Pause payouts"):
            buttons = vic.page.get_by_role("button", name=re.compile(f"^{name}"))
            await expect(buttons).to_have_count(0)


async def test_players_see_an_announcement_on_every_screen_and_that_they_are_banned(
    serve: Serve, enter: Enter
) -> None:
    world = await serve(**TWO_SEATS, OPS_TOKENS=f"eve:admin:{TOKEN}")
    ann = await enter(world, "ann", **PHONE)
    await ann.arrive()
    await ann.sees("Take a seat")
    said = {"text": "Closed from noon on.", "level": "warning", "until": 9_999_999_999_000}
    async with client(world, TOKEN) as http:
        await answered(lambda: http.post("/ops/api/announce", json=said))
        notice = ann.page.locator("#notice")
        await expect(notice).to_contain_text("Closed from noon on.")
        lobby_id = await ann.take_a_seat()
        await expect(notice).to_be_visible()
        await ann.press("Put away")
        await expect(notice).to_be_hidden()
        banned = {"alien_id": "ann", "reason": "why"}
        await answered(lambda: http.post("/ops/api/ban", json=banned))
        ended = {"lobby_id": lobby_id, "reason": "why"}
        await answered(lambda: http.post("/ops/api/void", json=ended))
        await ann.sees("The house has ended it, and nobody wins.")
        await ann.press("Play the next game")
        await ann.sees("This account may not take new seats.")
    bob = await enter(world, "bob")
    await bob.arrive()
    await expect(bob.page.locator("#notice")).to_contain_text("Closed from noon on.")
