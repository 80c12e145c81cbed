"""What operators do over HTTP: who may, what they get, and that everybody is notified."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import pairwise
from typing import Any

import pytest

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.support.wait import until as until_true
from tests.system.game_server import GameServer, HttpAnswer, running_app
from tests.transport.http.test_ops import basic

TOKENS = {
    role: f"{role}-{role}-{role}-{role}" for role in ("viewer", "support", "cashier", "admin")
}
OPS_TOKENS = ",".join(f"{role[:3]}:{role}:{token}" for role, token in TOKENS.items())
TIER: dict[str, Any] = {"buy_in_amount": 3500}


async def act(server: GameServer, action: str, role: str = "admin", **body: Any) -> HttpAnswer:
    headers = {"Authorization": f"Bearer {TOKENS[role]}"}
    return await server.request("POST", f"/ops/api/{action}", headers=headers, json=body)


@pytest.fixture
async def servers(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> AsyncIterator[tuple[GameServer, GameServer]]:
    """Two servers with an operator of each role."""
    async with AsyncExitStack() as stack:
        one, two = [
            await stack.enter_async_context(
                running_app(store_url, issuer, provider, OPS_TOKENS=OPS_TOKENS, HTTP_RATE="0")
            )
            for _ in range(2)
        ]
        yield one, two


ACTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "announce": ("support", {"text": "hello"}),
    "ban": ("support", {"alien_id": "bob", "reason": "why"}),
    "unban": ("support", {"alien_id": "bob", "reason": "why"}),
    "close": ("admin", TIER | {"reason": "why"}),
    "open": ("admin", TIER | {"reason": "why"}),
    "void": ("admin", {"lobby_id": "lobby_3500_000000000000", "reason": "why"}),
    "kick": ("admin", {"lobby_id": "lobby_3500_000000000000", "alien_id": "x", "reason": "why"}),
    # Without books there are none.
    "payouts/list": ("cashier", {}),
    "payouts/retry": ("cashier", {"payout_id": "po_3500_1-1"}),
    "payouts/approve": ("cashier", {"payout_id": "po_3500_1-1"}),
    "payouts/refuse": ("cashier", {"payout_id": "po_3500_1-1", "reason": "why"}),
    "payouts/pause": ("cashier", {}),
    "payouts/resume": ("cashier", {}),
}


async def test_each_role_may_what_those_before_it_may(
    servers: tuple[GameServer, GameServer],
) -> None:
    roles = [*TOKENS]
    for action, (least, body) in ACTIONS.items():
        for role in roles:
            answer = await act(servers[0], action, role, **body)
            if roles.index(role) < roles.index(least):
                assert (answer.status, answer.body["code"]) == (403, "forbidden")
            else:
                missing = action in ("void", "kick") or action.startswith("payouts/")
                assert answer.status == (404 if missing else 200), answer.body
    for role in roles:
        headers = {"Authorization": f"Bearer {TOKENS[role]}"}
        for path in ("/ops", "/ops/nodes", "/ops/api/log", "/ops/api/me"):
            assert (await servers[0].request("GET", path, headers=headers)).status == 200
        me = (await servers[0].request("GET", "/ops/api/me", headers=headers)).body
        may = [a for a, (least, _) in ACTIONS.items() if roles.index(role) >= roles.index(least)]
        assert (me["name"], me["role"], sorted(me["actions"])) == (role[:3], role, sorted(may))


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("ban", {}),
        ("ban", {"alien_id": "bob"}),
        ("ban", {"alien_id": "bob", "reason": ""}),
        ("ban", {"alien_id": "bob", "reason": "  "}),
        ("ban", {"alien_id": "bob", "reason": "a\nb"}),
        ("ban", {"alien_id": "b b", "reason": "why"}),
        ("ban", {"alien_id": "bob", "reason": "why", "until": 1}),
        ("ban", {"alien_id": "bob", "reason": "why", "until": "soon"}),
        ("ban", {"alien_id": "bob", "reason": "why", "until": True}),
        ("ban", {"alien_id": "bob", "reason": "why", "until": 1e300}),
        ("ban", {"alien_id": "bob", "reason": "why", "by": "eve"}),
        ("close", {"buy_in_amount": "3500", "reason": "why"}),
        ("announce", {"text": "x", "level": "loud"}),
        ("announce", {"text": ""}),
        ("void", {"lobby_id": 7, "reason": "why"}),
        ("kick", {"lobby_id": "lobby_3500_000000000000", "reason": "why"}),
    ],
)
async def test_what_is_no_order_is_refused_and_not_in_the_log(
    servers: tuple[GameServer, GameServer], action: str, body: dict[str, Any]
) -> None:
    answer = await act(servers[0], action, **body)
    assert (answer.status, answer.body["code"]) == (400, "invalid_message")
    headers = {"Authorization": f"Bearer {TOKENS['viewer']}"}
    log = (await servers[0].request("GET", "/ops/api/log", headers=headers)).body
    assert log == {"entries": [], "intact": True, "problems": []}


async def test_what_there_is_not_is_refused_with_its_code(
    servers: tuple[GameServer, GameServer],
) -> None:
    one, _ = servers
    lobby_id = await one.seat("alice")
    kick: dict[str, Any] = {"lobby_id": lobby_id, "alien_id": "bob", "reason": "why"}
    refusals: list[tuple[str, dict[str, Any], int, str]] = [
        ("void", {"lobby_id": "lobby", "reason": "why"}, 404, "unknown_lobby"),
        ("kick", kick, 403, "not_seated"),
        ("close", {"buy_in_amount": 1, "reason": "why"}, 400, "unknown_tier"),
    ]
    for action, body, status, code in refusals:
        answer = await act(one, action, **body)
        assert (answer.status, answer.body["code"]) == (status, code)
        assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert (await act(one, "void", lobby_id=lobby_id, reason="why")).status == 200
    for action, body in (("void", {"lobby_id": lobby_id, "reason": "why"}), ("kick", kick)):
        answer = await act(one, action, **body)
        assert (answer.status, answer.body["code"]) == (409, "wrong_status")
    unknown = await act(one, "reboot", reason="why")
    assert (unknown.status, unknown.body["code"]) == (404, "unknown_command")


async def test_a_wrong_token_is_unauthorized_and_many_are_limited(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    async with running_app(
        store_url, issuer, provider, OPS_TOKENS=OPS_TOKENS, CONNECT_RATE="1"
    ) as server:
        statuses = []
        for _ in range(4):
            headers = {"Authorization": "Bearer wrong-wrong-wrong-wrong"}
            answer = await server.request("POST", "/ops/api/void", headers=headers, json={})
            statuses.append((answer.status, answer.body["code"]))
        assert statuses[:2] == [(401, "unauthorized")] * 2
        assert (429, "rate_limited") in statuses
        assert (await act(server, "unban", alien_id="b", reason="why")).status in (429, 200)


async def test_a_page_of_somebody_else_cannot_act_with_the_password_of_the_browser(
    servers: tuple[GameServer, GameServer],
) -> None:
    one, _ = servers
    host = one.url.removeprefix("http://")
    for origin, status in [
        ("https://evil.example", 401),
        ("null", 401),
        (f"http://{host}", 200),
        (f"https://{host}", 200),
        (None, 200),
    ]:
        headers = basic(TOKENS["admin"]) | ({} if origin is None else {"Origin": origin})
        body = {"alien_id": "bob", "reason": "why"}
        answer = await one.request("POST", "/ops/api/unban", headers=headers, json=body)
        assert answer.status == status, origin


async def test_no_page_may_frame_the_operators_page(
    servers: tuple[GameServer, GameServer],
) -> None:
    answer = await servers[0].request("GET", "/ops", headers=basic(TOKENS["viewer"]))
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


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
