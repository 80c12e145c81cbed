"""How time acts on a forming lobby, as it is published to its room and players."""

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.system.game_server import running_app


async def test_a_seat_that_is_not_paid_in_time_is_free_again_and_can_be_taken_anew(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    async with (
        running_app(store_url, issuer, provider, SEAT_SECONDS="10") as game,
        game.visitor("alice") as alice,
    ):
        lobby_id = await game.seat("alice")
        await alice.enter(lobby_id)
        lapsed = await game.join("bob")
        left = await alice.receives("player_left", alien_id="bob", reason="expired")
        assert (left["player_count"], left["pot"]) == (1, 3500)
        again = await game.join("bob")
        assert again["lobby_id"] == lobby_id
        assert again["invoice"]["invoice_id"] != lapsed["invoice"]["invoice_id"]


async def test_the_timer_starts_again_until_enough_have_paid_and_then_the_unpaid_leave(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    changes = {"FORMATION_SECONDS": "1", "MAX_PLAYERS": "3"}
    async with (
        running_app(store_url, issuer, provider, **changes) as game,
        game.visitor("alice") as alice,
    ):
        lobby_id = await game.seat("alice")
        await alice.enter(lobby_id)
        first = (await alice.receives("lobby_state"))["deadline"]
        again = await alice.receives("status_changed", status="forming")
        assert again["deadline"] >= first + 1000
        await game.join("carol")
        await game.seat("bob")
        arranging = await alice.receives("status_changed", status="arranging")
        assert arranging["deadline"] > arranging["at"]
        left = await alice.receives("player_left", alien_id="carol", reason="unpaid")
        assert (left["player_count"], left["pot"]) == (2, 7000)
        assert left["seq"] == arranging["seq"] - 1


async def test_if_all_have_arranged_already_arranging_and_active_follow_each_other_at_once(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    changes = {"FORMATION_SECONDS": "12", "MAX_PLAYERS": "3"}
    async with (
        running_app(store_url, issuer, provider, **changes) as game,
        game.visitor("carol") as carol,
    ):
        await carol.enter(await game.ready("alice", "bob"), last_seq=0)
        active = await carol.receives("status_changed", status="active", deadline=None)
        arranging = await carol.receives("status_changed", status="arranging")
        assert active["seq"] == arranging["seq"] + 1
