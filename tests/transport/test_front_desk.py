"""What the front desk does for those who come to `/lobbies`."""

import math
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from server.assembly.tiers import tiers
from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.store.timings import PATIENT
from server.transport.http.runner import KEEP_ALIVE_SECONDS
from tests.support.wait import until
from tests.system.game_server import GameServer, running_app
from tests.system.visitor import Visitor
from tests.transport.http.problems import assert_problem

LISTINGS_A_SECOND = 4


@pytest.fixture
async def game(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> AsyncIterator[GameServer]:
    """A server where two fill a lobby."""
    changes = {"MESSAGE_RATE": "0", "HTTP_RATE": "0"}
    async with running_app(store_url, issuer, provider, **changes) as game:
        yield game


async def test_a_visitor_is_sent_the_forming_lobbies_oldest_first_and_can_ask_again(
    game: GameServer,
) -> None:
    older = await game.seat("alice", buy_in_amount=7000)
    newer = (await game.join("alice"))["lobby_id"]
    async with game.visitor("carol") as carol:
        await carol.enter("lobbies")
        sent = (await carol.receives("lobbies"))["lobbies"]
        assert [lobby["lobby_id"] for lobby in sent] == [older, newer]
        assert (await carol.ask("list"))["lobbies"] == sent
        assert (await carol.ask("list", {"buy_in_amount": 3500}))["lobbies"] == sent[1:]
        assert (await carol.ask("list", {"buy_in_amount": 17500}))["lobbies"] == []
        assert await carol.refusal("list", {"buy_in_amount": 1}) == "unknown_tier"


async def test_commands_of_another_shape_or_name_are_refused(game: GameServer) -> None:
    async with game.visitor("alice") as alice:
        await alice.enter("lobbies")
        for payload in (
            {},
            {"buy_in_amount": "3500"},
            {"buy_in_amount": 3500.0},
            {"buy_in_amount": 3500, "client_seed": 1},
            {"buy_in_amount": 3500, "client_seed": "x" * 65},
            {"buy_in_amount": 3500, "seat": 1},
        ):
            assert await alice.refusal("join", payload) == "invalid_message", payload
        assert await alice.refusal("join", {"buy_in_amount": 3501}) == "unknown_tier"
        somebody = {"buy_in_amount": 3500, "alien_id": "bob"}
        assert await alice.refusal("join", somebody) == "identity_mismatch"
        assert await alice.refusal("claim") == "unknown_command"


@pytest.mark.parametrize("name", ["nothing", "connect", "disconnect"])
async def test_a_name_that_is_no_command_is_unknown_whatever_comes_with_it(
    game: GameServer, name: str
) -> None:
    payloads: list[Any] = [{}, 7, ({}, {})]
    async with game.visitor("alice") as alice:
        await alice.enter("lobbies")
        for payload in payloads:
            assert await alice.refusal(name, payload) == "unknown_command", payload
        assert await alice.refusal("list", ({}, {})) == "invalid_message"
        assert await alice.refusal("refresh_token", ({}, {})) == "invalid_message"


async def test_joining_again_gives_the_same_seat_and_the_same_invoice(game: GameServer) -> None:
    async with game.visitor("alice") as alice:
        await alice.enter("lobbies")
        request = {"buy_in_amount": 3500, "alien_id": "alice", "client_seed": "x" * 64}
        first = await alice.ask("join", request)
        assert await alice.ask("join", {"buy_in_amount": 3500}) == first
        assert await alice.refusal("join", {"buy_in_amount": 1}) == "unknown_tier"
    assert first["lobby"]["player_count"] == 1
    assert first["invoice"]["amount"] == "3500"
    assert first["invoice"]["status"] == "pending"


async def test_joining_after_a_failed_payment_takes_a_seat_with_a_new_invoice(
    game: GameServer,
) -> None:
    async with game.visitor("alice") as alice:
        await alice.enter("lobbies")
        first = await alice.ask("join", {"buy_in_amount": 3500})
        assert await game.pay(first["invoice"], "failed") == {"success": True, "processed": True}
        again = await alice.ask("join", {"buy_in_amount": 3500})
    assert again["lobby"]["lobby_id"] == first["lobby"]["lobby_id"]
    assert again["invoice"]["invoice_id"] != first["invoice"]["invoice_id"]
    assert again["invoice"]["status"] == "pending"


async def test_players_fill_the_fullest_lobby_and_then_open_another(game: GameServer) -> None:
    joined = [(await game.join(name))["lobby_id"] for name in ("alice", "bob", "carol", "dave")]
    assert joined[0] == joined[1] != joined[2] == joined[3]


async def test_a_busy_lobby_is_listed_four_times_a_second_at_most(game: GameServer) -> None:
    lobby_id = (await game.join("alice"))["lobby_id"]
    changes = 40
    async with game.visitor("carol") as carol:
        await carol.enter("lobbies")
        started = time.monotonic()
        for _ in range(changes // 2):
            await game.join("bob")
            await game.post(f"/api/game/{lobby_id}/leave", "bob")
        await until(lambda: any(d["lobby"]["seq"] == changes + 1 for d in carol.of("lobby_listed")))
        listed = [data["lobby"] for data in carol.of("lobby_listed")]
        seconds = time.monotonic() - started
    assert len(listed) <= 1 + math.ceil(seconds * LISTINGS_A_SECOND)
    assert [lobby["seq"] for lobby in listed] == sorted({lobby["seq"] for lobby in listed})
    assert listed[-1]["player_count"] == 1


async def test_a_lobby_is_listed_once_more_when_it_stops_forming(game: GameServer) -> None:
    async with game.visitor("carol") as carol:
        await carol.enter("lobbies")
        lobby_id = await game.ready("alice", "bob")
        await until(
            lambda: any(d["lobby"]["status"] != "forming" for d in carol.of("lobby_listed"))
        )
        for name in ("alice", "bob"):
            await game.post(f"/api/game/{lobby_id}/leave", name)
        other = (await game.join("alice"))["lobby_id"]
        await until(lambda: carol.of("lobby_listed")[-1]["lobby"]["lobby_id"] == other)
        listed = [data["lobby"] for data in carol.of("lobby_listed")]
        assert (await carol.ask("list"))["lobbies"] == listed[-1:]
    ends = [lobby["status"] for lobby in listed if lobby["status"] != "forming"]
    assert ends == ["arranging"]


async def test_more_connections_do_not_get_a_player_more_seats(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    limits = {"JOIN_RATE": "0.001", "HTTP_RATE": "0", "MESSAGE_RATE": "0"}
    async with (
        running_app(store_url, issuer, provider, **limits) as game,
        game.visitor("alice") as one,
        game.visitor("alice") as other,
    ):
        lobby_id = await game.seat("bob")
        for desk in (one, other):
            await desk.enter("lobbies")

        async def leave() -> None:
            assert (await game.post(f"/api/game/{lobby_id}/leave", "alice")).status == 200

        for desk in (one, other):
            for _ in range(4):
                await desk.ask("join", {"buy_in_amount": 3500})
                await desk.ask("join", {"buy_in_amount": 3500})  # the same seat counts once
                await leave()
        for _ in range(2):
            await game.join("alice")
            await game.join("alice")
            await leave()
        assert await other.refusal("join", {"buy_in_amount": 3500}) == "rate_limited"
        assert await one.refusal("join", {"buy_in_amount": 7000}) == "rate_limited"
        for path, body in (
            ("/api/game/join", {"buy_in_amount": 3500}),
            ("/api/invoices", {"buy_in_amount": 3500, "lobby_id": lobby_id}),
        ):
            assert_problem(await game.post(path, "alice", body), "rate_limited")
        assert (await one.ask("list"))["ok"]
        assert (await game.join("carol"))["lobby_id"] == lobby_id


async def test_without_a_join_rate_a_player_may_change_their_mind_for_ever(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    limits = {"JOIN_RATE": "0", "HTTP_RATE": "0"}
    async with running_app(store_url, issuer, provider, **limits) as game:
        for _ in range(30):
            lobby_id = (await game.join("alice"))["lobby_id"]
            assert (await game.post(f"/api/game/{lobby_id}/leave", "alice")).status == 200


async def test_whoever_comes_while_lobbies_change_knows_them_all_in_the_end(
    game: GameServer,
) -> None:
    async with AsyncExitStack() as stack:
        visitors = []
        for number in range(30):
            await game.join(f"player-{number}")
            visitor = await stack.enter_async_context(game.visitor(f"visitor-{number}"))
            visitors.append(await visitor.enter("lobbies"))
        there = (await visitors[0].ask("list"))["lobbies"]

        def knows(visitor: Visitor) -> bool:
            sent = [lobby for welcome in visitor.of("lobbies") for lobby in welcome["lobbies"]]
            listed = {lobby["lobby_id"]: lobby for lobby in sent}
            for change in visitor.of("lobby_listed"):
                listed[change["lobby"]["lobby_id"]] = change["lobby"]
            return bool([listed.get(lobby["lobby_id"]) for lobby in there] == there)

        await until(lambda: all(map(knows, visitors)))


async def test_who_enters_an_empty_front_desk_is_sent_nothing_from_before(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    async with running_app(
        store_url, issuer, provider, KEEP_ALIVE_SECONDS, PATIENT, tiers, 1.0
    ) as game:
        async with game.visitor("carol") as carol:
            await carol.enter("lobbies")
            lobby_id = await game.seat("alice")
            await carol.receives("lobby_listed")
            await game.join("bob")  # which is to be listed when the pause is over
        await game.seat("bob")
        async with game.visitor("dave") as dave:
            await dave.enter("lobbies")
            other = await game.seat("erin", buy_in_amount=7000)
            await dave.receives("lobby_listed")

            def sent() -> list[str]:
                return [data["lobby"]["lobby_id"] for data in dave.of("lobby_listed")]

            await until(lambda: other in sent())
            assert lobby_id not in sent()
