"""Links to a table: one that a player hands to a friend, and one to a seat of one's own."""

from protocol.client import connect, enter_lobby
from tests.browser.conftest import TWO_SEATS, Enter, Serve
from tests.browser.world import TIER


async def test_a_friend_who_follows_the_link_is_seated_at_that_table(
    serve: Serve, enter: Enter
) -> None:
    world = await serve(MAX_PLAYERS="3")
    ann = await enter(world, "ann", permissions=["clipboard-read", "clipboard-write"])
    await ann.arrive()
    lobby_id = await ann.take_a_seat()
    await ann.press("Invite a friend")
    await ann.sees("The link is copied")
    link = await ann.page.evaluate("navigator.clipboard.readText()")
    for name in ("eve", "dan"):  # the table is full, another one opens and has more players then
        assert await world.join(name, TIER) == lobby_id
    fuller = await world.join("cat", TIER)
    assert await world.join("fay", TIER) == fuller != lobby_id
    for name in ("eve", "dan"):
        async with enter_lobby(world.url, world.token(name), lobby_id) as lobby:
            await lobby.leave()

    bob = await enter(world, "bob")
    await bob.page.goto(link.replace("/#", "/?player=bob#"))
    await bob.press("Take a seat")
    await bob.sees("A seat is held for you")
    async with world.watch(lobby_id) as lobby:
        assert [player.alien_id for player in lobby.view.players] == ["ann", "bob"]


async def test_a_friend_who_comes_too_late_is_shown_that_every_seat_is_taken(
    serve: Serve, enter: Enter
) -> None:
    world = await serve(**TWO_SEATS)
    lobby_id = await world.join("ann", TIER)
    bob = await enter(world, "bob")
    await bob.arrive(lobby_id)
    await bob.sees("This table is forming")
    assert await world.join("eve", TIER) == lobby_id
    await bob.press("Take a seat")
    await bob.sees("Every seat of this game is taken.")
    bob.complaints.clear()  # of the 409


async def test_a_link_to_a_table_is_one_to_a_seat_held_already(serve: Serve, enter: Enter) -> None:
    world = await serve()
    async with connect(world.url, world.token("ann")) as desk:
        lobby_id = (await desk.join(TIER)).lobby.lobby_id
    ann = await enter(world, "ann")
    await ann.arrive(lobby_id)
    await ann.sees("A seat is held for you")
