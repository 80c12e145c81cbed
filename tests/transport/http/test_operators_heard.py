"""What operators do over HTTP, as players and other operators see it."""

import asyncio
from itertools import pairwise
from typing import Any

from tests.support.wait import until as until_true
from tests.system.game_server import GameServer
from tests.transport.http.operating import TIER, TOKENS, act


async def test_a_ban_meets_open_connections_of_all_servers(
    servers: tuple[GameServer, GameServer],
) -> None:
    one, two = servers
    async with two.visitor("bob") as bob:
        await bob.enter("lobbies")
        until = 9_999_999_999_000
        iso = "2286-11-20T17:46:39Z"
        done = await act(one, "ban", "support", alien_id="bob", reason="why", until=iso)
        assert (done.status, done.body) == (200, {"action": "ban", "changed": True})
        refused = await bob.answer("join", TIER)
        assert refused["error"]["code"] == "banned"
        assert refused["error"]["details"] == {"until": until}
        assert refused["error"]["retry"] is False
        joined = await two.post("/api/game/join", "bob", TIER)
        assert (joined.status, joined.body["code"]) == (403, "banned")
        assert joined.body["details"] == {"until": until}
        assert (await act(two, "unban", alien_id="bob", reason="why")).body["changed"]
        assert (await bob.answer("join", TIER))["ok"]


async def test_a_closed_tier_is_not_listed_and_sells_nothing(
    servers: tuple[GameServer, GameServer],
) -> None:
    one, two = servers
    lobby_id = await one.seat("alice")
    async with one.visitor("carol") as carol:
        await carol.enter("lobbies")
        await carol.receives("lobbies", lobbies=[_Named(lobby_id)])
        await act(two, "close", **TIER, reason="why")
        await carol.receives("lobbies", lobbies=[])
        assert (await carol.answer("list", TIER))["lobbies"] == []
        assert (await carol.answer("join", TIER))["error"]["code"] == "tier_closed"
        invoice = await two.post("/api/invoices", "carol", TIER | {"lobby_id": lobby_id})
        assert (invoice.status, invoice.body["code"]) == (409, "tier_closed")
        async with one.visitor("dave") as dave:
            await dave.enter("lobbies")
            await dave.receives("lobbies", lobbies=[])
        await act(two, "open", **TIER, reason="why")
        await carol.receives("lobbies", lobbies=[_Named(lobby_id)])
        assert (await carol.answer("join", TIER))["ok"]


async def test_an_announcement_reaches_every_namespace_and_who_connects_while_it_stands(
    servers: tuple[GameServer, GameServer],
) -> None:
    one, two = servers
    lobby_id = await one.seat("alice")
    async with two.visitor("alice") as alice, one.visitor("bob") as bob:
        await alice.enter(lobby_id)
        await bob.enter("lobbies")
        until = 9_999_999_999_000
        body = {"text": "Maintenance.", "level": "warning", "until": until}
        await act(one, "announce", "support", **body)
        for visitor in (alice, bob):
            assert await visitor.receives("announcement") == body
        await act(two, "announce", text="Once.")
        for visitor in (alice, bob):
            once = {"text": "Once.", "level": "info", "until": None}
            assert await visitor.receives("announcement", text="Once.") == once
    async with two.visitor("carol") as carol:
        await carol.enter(lobby_id)
        assert await carol.receives("announcement") == body
    async with one.visitor("carol") as carol:
        await carol.enter("lobbies")
        assert await carol.receives("announcement") == body


async def test_a_voided_game_is_published_to_the_room_and_has_no_proof(
    servers: tuple[GameServer, GameServer],
) -> None:
    one, two = servers
    lobby_id = await one.ready("alice", "bob")
    async with two.visitor("alice") as alice:
        await alice.enter(lobby_id)
        assert (await act(one, "void", lobby_id=lobby_id, reason="a fault")).status == 200
        end = await alice.receives("game_finished")
        assert (end["outcome"], end["proof"], end["pot"], end["grids"]) == ("voided", None, 0, {})
    for server in servers:
        proof = await server.get(f"/api/game/{lobby_id}/proof")
        assert (proof.status, proof.body["code"]) == (409, "not_finished")
        status = (await server.get(f"/api/game/{lobby_id}/status", "bob")).body
        assert (status["outcome"], status["you"]["invoice"]["owed"]) == ("voided", "3500")


async def test_who_is_kicked_is_out_and_the_room_receives_the_reason(
    servers: tuple[GameServer, GameServer],
) -> None:
    one, two = servers
    lobby_id = await one.seat("alice")
    async with two.visitor("alice") as alice:
        await alice.enter(lobby_id)
        kick = {"alien_id": "alice", "lobby_id": lobby_id, "reason": "why"}
        assert (await act(one, "kick", **kick)).status == 200
        left = await alice.receives("player_left")
        assert (left["alien_id"], left["reason"], left["pot"]) == ("alice", "kicked", 0)


async def test_actions_of_many_operators_at_once_are_one_chain(
    servers: tuple[GameServer, GameServer],
) -> None:
    await asyncio.gather(
        *(
            act(servers[number % 2], "ban", alien_id=f"p{number}", reason=f"{number}")
            for number in range(12)
        )
    )
    headers = {"Authorization": f"Bearer {TOKENS['viewer']}"}
    log = (await servers[0].request("GET", "/ops/api/log", headers=headers)).body
    entries = log["entries"]
    assert (log["intact"], len(entries)) == (True, 12)
    assert entries[0]["previous_hash"] == "0" * 64
    for before, after in pairwise(entries):
        assert after["previous_hash"] == before["hash"]
    assert {entry["operator"] for entry in entries} == {"adm"}


class _Named:
    """A lobby of that id, whatever else it says."""

    def __init__(self, lobby_id: str) -> None:
        self.lobby_id = lobby_id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and other["lobby_id"] == self.lobby_id

    def __hash__(self) -> int:
        return hash(self.lobby_id)


async def test_a_lobby_and_a_player_are_found_by_their_ids(
    servers: tuple[GameServer, GameServer],
) -> None:
    one, two = servers
    viewer = {"Authorization": f"Bearer {TOKENS['viewer']}"}

    async def look(path: str) -> Any:
        answer = await two.request("GET", f"/ops/api/{path}", headers=viewer)
        assert answer.status == 200, answer
        return answer.body

    lobby_id = await one.ready("alice", "bob")
    lobby = await look(f"lobbies/{lobby_id}")
    assert (lobby["view"]["status"], lobby["paid_players"], lobby["problem"]) == ("active", 2, None)
    assert lobby["steps"][-1]["text"] == "the game starts for 7000 coins"
    seat = {"lobby_id": lobby_id, "status": "active", "paid": True, "active": True}
    assert (await look("players/alice"))["seats"] == [seat]
    until = 9_999_999_999_000
    await act(one, "ban", alien_id="alice", reason="why", until=until)
    await act(one, "close", **TIER, reason="why")
    await act(one, "announce", text="Hello.", until=until)
    player = await look("players/alice")
    assert (player["banned"], player["until"]) == (True, until)
    assert await look("orders") == {
        "closed": [3500],
        "banned": {"alice": until},
        "announcements": [{"text": "Hello.", "level": "info", "until": until}],
    }
    await act(one, "void", lobby_id=lobby_id, reason="why")

    async def is_owed() -> bool:
        return len((await look("players/alice"))["owed"]) == 1

    await until_true(is_owed)
    assert (await look(f"lobbies/{lobby_id}"))["view"]["outcome"] == "voided"
    assert (await look("players/alice"))["seats"] == []
    for path, status in (("lobbies/lobby", 404), ("players/a%20b", 400)):
        answer = await two.request("GET", f"/ops/api/{path}", headers=viewer)
        assert answer.status == status
        assert (await two.request("GET", f"/ops/api/{path}")).status == 401
