"""Whole games in a real browser."""

import asyncio
import json
import re
from pathlib import Path

from playwright.async_api import Route, expect

from server.rules.verify import verify_proof
from tests.browser.conftest import MOVING, TWO_SEATS, Enter, Serve

COUNT_MARKS = """
    window.marks = 0;
    new MutationObserver(() => {
        marks += document.querySelectorAll('.play .cell[aria-pressed="true"]').length;
    }).observe(document, { subtree: true, childList: true, attributes: true });
"""

RECORD_LAYOUT_SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
    for (const shift of list.getEntries()) if (!shift.hadRecentInput) shifts.push(shift.value);
}).observe({ type: "layout-shift" });
"""


async def test_two_people_and_bots_play_to_the_end(
    serve: Serve, enter: Enter, tmp_path: Path
) -> None:
    world = await serve(MIN_PLAYERS="4", MAX_PLAYERS="4")
    ann, bob = await enter(world, "ann", **MOVING), await enter(world, "bob")
    async with world.company("bot-1", "bot-2") as lobby_id:
        for person in (ann, bob):
            await person.arrive()
            assert await person.take_a_seat() == lobby_id
        await ann.pay()
        ticket = await ann.print_a_ticket()
        await bob.pay()
        game = asyncio.create_task(ann.play_until_won(world, lobby_id, ticket))
        await bob.print_a_ticket()
        await game
        await ann.sees("You won 14,000 coins")
        await bob.sees(re.compile(r"^ann won 14,000 coins with the .*, after \d+ calls"))
        for person in (ann, bob):
            await person.sees("The seal fits. Every check holds.")
            await person.shoot(f"result-{person.name}")

    async with ann.page.expect_download() as download:
        await ann.page.get_by_role("link", name="Save the proof").click()
    await (await download.value).save_as(tmp_path / "proof.json")
    assert verify_proof(json.loads((tmp_path / "proof.json").read_text())) == []

    await ann.press("Play the next game")
    await ann.sees("A seat is held for you")


async def test_a_false_claim_puts_the_player_out_who_may_watch_on(
    serve: Serve, enter: Enter
) -> None:
    world = await serve(**TWO_SEATS)
    ann = await enter(world, "ann")
    async with world.company("bot-1") as lobby_id:
        await ann.join_the_game()
        await ann.claim()
        await ann.sees(re.compile(r"the nearest still lacked \d+"))
        await ann.sees_no("Claim")
        await ann.shoot("false-claim")
        before = await ann.wait_for_a_call()
        await world.calls(lobby_id, 2)
        await expect(ann.page.locator(".latest")).not_to_have_text(str(before))
        await ann.page.reload()
        await ann.sees(re.compile(r"the nearest still lacked \d+"))


async def test_a_reload_brings_everything_back_marks_included(serve: Serve, enter: Enter) -> None:
    world = await serve(**TWO_SEATS)
    ann = await enter(world, "ann")
    async with world.company("bot-1"):
        ticket = await ann.join_the_game()
        for number in ticket[2:5]:
            await ann.mark(number)
        await ann.page.reload()
        await ann.wait_for_a_call()
        assert await ann.ticket() == ticket
        await ann.has_marked(*ticket[2:5])
        await expect(ann.page.get_by_role("button", name="Claim")).to_be_visible()


async def test_a_broken_connection_is_shown_at_once_and_loses_no_number(
    serve: Serve, enter: Enter
) -> None:
    world = await serve(**TWO_SEATS, CALL_INTERVAL_SECONDS="0.6")
    ann = await enter(world, "ann")
    async with world.company("bot-1") as lobby_id:
        await ann.join_the_game()
        await ann.page.context.set_offline(True)
        await ann.sees("Connection lost")
        await ann.shoot("cut")
        await world.calls(lobby_id, 4)
        await ann.page.context.set_offline(False)
        await ann.sees_no("Connection lost")
        await ann.sees("Nobody won")
        await ann.sees("The 50 numbers you heard are these")
    ann.forgive_cuts()


async def test_a_payment_that_comes_too_late_is_owed_back(serve: Serve, enter: Enter) -> None:
    world = await serve(**TWO_SEATS, SEAT_SECONDS="45")
    ann = await enter(world, "ann")
    invoices = []

    async def send_without_delivering(route: Route) -> None:
        invoices.append(json.loads(route.request.post_data or "")["invoice_id"])
        await route.fulfill(json={})

    await ann.page.route("**/dev/pay", send_without_delivering)
    async with world.company("bot-1") as lobby_id:
        await ann.arrive()
        assert await ann.take_a_seat() == lobby_id
        await ann.press("Pay")
        await ann.sees("Sent.")
        await ann.sees("Your seat is free again")
        async with world.company("bot-2") as same_lobby_id:
            assert same_lobby_id == lobby_id
            await ann.wait_for_a_call()
            await world.pay(invoices[0])
            await ann.sees("They are owed back to you")
            await ann.shoot("late-payment")


async def test_a_spectator_watches_without_a_ticket(serve: Serve, enter: Enter) -> None:
    world = await serve(**TWO_SEATS)
    eve = await enter(world, "eve")
    async with world.company("bot-1", "bot-2") as lobby_id:
        await eve.arrive(lobby_id)
        await eve.wait_for_a_call()
        await eve.sees("You are watching")
        await expect(eve.page.locator(".ticket")).to_be_hidden()
        await expect(eve.page.get_by_role("button", name="Claim")).to_be_hidden()
        await eve.shoot("spectator")


async def test_a_lobby_that_never_was_is_explained(serve: Serve, enter: Enter) -> None:
    world = await serve()
    eve = await enter(world, "eve")
    await eve.arrive("lobby_3500_0123456789ab")
    await eve.sees("This game is over and gone, or never was.")


async def test_calls_move_nothing_on_the_page(serve: Serve, enter: Enter) -> None:
    world = await serve(**TWO_SEATS)
    ann = await enter(world, "ann", **MOVING)
    await ann.page.add_init_script(RECORD_LAYOUT_SHIFTS)
    async with world.company("bot-1") as lobby_id:
        await ann.join_the_game()
        await ann.page.evaluate("shifts.length = 0")
        await world.calls(lobby_id, 8)
        assert await ann.page.evaluate("shifts") == []


async def test_the_page_marks_nothing_by_itself(serve: Serve, enter: Enter) -> None:
    world = await serve(**TWO_SEATS, CALL_INTERVAL_SECONDS="0.1")
    ann = await enter(world, "ann")
    await ann.page.add_init_script(COUNT_MARKS)
    async with world.company("bot-1"):
        await ann.arrive()
        await ann.take_a_seat()
        await ann.pay()
        await ann.press_print()
        await ann.sees("Nobody won")
        await ann.sees("The 50 numbers you heard are these")
        assert await ann.page.evaluate("marks") == 0
