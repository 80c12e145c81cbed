"""Who may do over HTTP what operators do, and what of it is refused."""

from typing import Any

import pytest

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.system.game_server import GameServer, running_app
from tests.transport.http.operating import OPS_TOKENS, TIER, TOKENS, act
from tests.transport.http.test_ops import basic

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
        store_url, issuer, provider, OPS_TOKENS=OPS_TOKENS, CONNECT_RATE="0.001"
    ) as server:
        assert (await act(server, "unban", alien_id="b", reason="why")).status == 200
        codes = []
        for _ in range(2):
            headers = {"Authorization": "Bearer wrong-wrong-wrong-wrong"}
            answer = await server.request("POST", "/ops/api/void", headers=headers, json={})
            codes.append((answer.status, answer.body["code"]))
        assert codes == [(401, "unauthorized"), (429, "rate_limited")]
        # From then on a right token is not looked at either: else one could go on guessing.
        assert (await act(server, "unban", alien_id="b", reason="why")).status == 429


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
