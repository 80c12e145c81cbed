"""The page in the Alien app: the token comes with the page, the wallet is behind a bridge."""

import json

from playwright.async_api import Route, expect

from protocol.client import connect
from tests.browser.conftest import TWO_SEATS, Enter, Serve
from tests.browser.world import TIER, World
from tests.support.wait import until

AS_IN_PRODUCTION = """
new MutationObserver(() => {
    const config = document.querySelector("meta[name=fair-bingo]");
    if (config) config.content = config.content.replace('"dev_login":true', '"dev_login":false');
}).observe(document, { childList: true, subtree: true });
"""

BRIDGE = """
window.asked = [];
window.__miniAppsBridge__ = {
    postMessage(text) {
        const { name, payload: order } = JSON.parse(text);
        asked.push([name, order]);
        const answer = (status, reqId) => {
            const event = { type: "event", name: "payment:response", payload: { status, reqId } };
            window.postMessage(JSON.stringify(event));
        };
        answer("failed", "of another request");
        if (asked.length === 1) return answer("cancelled", order.reqId);
        const body = JSON.stringify({ invoice_id: order.invoice });
        fetch("/dev/pay", { method: "POST", body }).then(() => answer("paid", order.reqId));
    },
};
"""


async def test_the_wallet_of_the_host_pays(serve: Serve, enter: Enter) -> None:
    world = await serve(**TWO_SEATS)
    ann = await enter(world, "ann")
    token = json.dumps(world.token("ann"))
    for script in (AS_IN_PRODUCTION, f"window.__ALIEN_AUTH_TOKEN__ = {token};", BRIDGE):
        await ann.page.add_init_script(script)
    async with world.company("bot-1"):
        await ann.arrive()
        await ann.take_a_seat()
        await ann.press("Pay")
        await ann.sees("You did not pay. Your seat is still held.")
        await ann.pay()
        name, order = (await ann.page.evaluate("asked"))[-1]
        assert (name, order["amount"], order["token"]) == ("payment:request", str(TIER), "ALIEN")


async def test_a_payment_that_was_sent_is_not_asked_for_again(serve: Serve, enter: Enter) -> None:
    ann = await enter(await serve(), "ann")
    await ann.page.route("**/dev/pay", lambda route: route.fulfill(json={}))  # and nothing comes in
    await ann.arrive()
    await ann.take_a_seat()
    await ann.press("Pay")
    await ann.sees("Sent.")
    await ann.page.reload()
    await ann.sees("Sent.")
    await expect(ann.page.get_by_role("button", name="Pay")).to_be_disabled()


async def test_without_a_token_the_page_shows_where_to_get_one(serve: Serve, enter: Enter) -> None:
    ann = await enter(await serve(), "ann")
    await ann.page.add_init_script(AS_IN_PRODUCTION)
    await ann.arrive()
    await ann.sees("You are not signed in")


SILENT_BRIDGE = """
window.asked = [];
window.__miniAppsBridge__ = { postMessage: (text) => asked.push(JSON.parse(text).payload) };
"""
ANSWER = """([request, status]) => {
    const payload = { status, reqId: asked[request].reqId };
    window.postMessage({ type: "event", name: "payment:response", payload });
}"""


async def test_a_wallet_that_does_not_answer_may_be_asked_again_and_may_answer_late(
    serve: Serve, enter: Enter
) -> None:
    world = await serve(SEAT_SECONDS="600", LOBBY_TTL_SECONDS="900")
    ann = await enter(world, "ann")
    token = json.dumps(world.token("ann"))
    for script in (AS_IN_PRODUCTION, f"window.__ALIEN_AUTH_TOKEN__ = {token};", SILENT_BRIDGE):
        await ann.page.add_init_script(script)
    await ann.page.clock.install()
    await ann.arrive()
    await ann.take_a_seat()
    for _ in range(2):
        await ann.press("Pay")
        await ann.sees("Waiting for your wallet")
        await ann.page.clock.fast_forward("00:30")
        await ann.sees("Your wallet has not answered yet.")
    assert [order["invoice"] for order in await ann.page.evaluate("asked")] == [
        await invoice_of(world, "ann")
    ] * 2
    await ann.page.evaluate(ANSWER, [0, "cancelled"])  # the request that was given up
    await ann.page.evaluate(ANSWER, [1, "paid"])
    await ann.sees("Sent.")
    await expect(ann.page.get_by_role("button", name="Pay")).to_be_disabled()
    await world.pay(await invoice_of(world, "ann"))
    await ann.sees("Pick 9 numbers")
    ann.forgive_cuts()  # half a minute that went by in an instant may be too long for a connect


async def invoice_of(world: World, player: str) -> str:
    """The invoice of the seat that a player has."""
    async with connect(world.url, world.token(player)) as desk:
        return (await desk.join(TIER)).invoice.invoice_id


async def test_a_token_that_comes_late_is_taken(serve: Serve, enter: Enter) -> None:
    ann = await enter(await serve(), "ann")
    held: list[Route] = []

    async def hold_the_first(route: Route) -> None:
        if held:
            await route.continue_()
        else:
            held.append(route)

    await ann.page.route("**/dev/token", hold_the_first)
    await ann.page.clock.install()
    await ann.arrive()
    await until(lambda: len(held) == 1)
    await ann.page.clock.fast_forward("00:10")
    await ann.sees("You are not signed in")
    await held[0].continue_()
    await ann.sees("Nine numbers, one line, one pot.")
    await ann.take_a_seat()
