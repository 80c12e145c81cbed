"""What a cashier does about payouts over HTTP."""

from collections.abc import AsyncIterator

import psycopg
import pytest

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.system.game_server import GameServer, running_app
from tests.transport.http.operating import OPS_TOKENS, TOKENS, act

ID = "po_3500_1-1"
QUEUED = (
    "INSERT INTO payouts (payout_id, entry_id, table_name, kind, alien_id, amount, owed_at, status)"
    " VALUES ('po_3500_1-1', '3500:1-1', '3500', 'payout', 'ann', 7000.5, now(), 'held')"
)


@pytest.fixture
async def server(
    store_url: str, books_url: str, issuer: DevIssuer, provider: DevProvider
) -> AsyncIterator[GameServer]:
    with psycopg.connect(books_url) as connection:
        connection.execute(QUEUED.encode())
    settings = {"OPS_TOKENS": f"{OPS_TOKENS},bob:cashier:{'b' * 16}", "DATABASE_URL": books_url}
    async with running_app(store_url, issuer, provider, **settings) as server:
        yield server


async def test_a_cashier_looks_approves_refuses_and_pauses_and_it_is_written_down(
    server: GameServer,
) -> None:
    found = await act(server, "payouts/list", "cashier", status="held")
    (payout,) = found.body["payouts"]
    assert (payout["payout_id"], payout["amount"], payout["status"]) == (ID, 7000.5, "held")
    for is_first in (True, False):  # the same name twice is one
        answer = await act(server, "payouts/approve", "cashier", payout_id=ID, reason="seen")
        assert answer.status == 200
        assert answer.body == {"action": "payouts/approve", "changed": is_first}
    assert (await act(server, "payouts/retry", "cashier", payout_id=ID)).body["code"] == (
        "wrong_status"
    )
    bob = {"Authorization": f"Bearer {'b' * 16}"}
    body = {"payout_id": ID}
    approved = await server.request("POST", "/ops/api/payouts/approve", headers=bob, json=body)
    assert approved.status == 200
    assert (await act(server, "payouts/list", "cashier")).body["payouts"][0]["status"] == "due"

    assert (await act(server, "payouts/pause", "cashier", reason="holiday")).status == 200
    refused = await act(server, "payouts/refuse", "cashier", payout_id=ID, reason="fraud")
    assert refused.status == 200
    assert (await act(server, "payouts/resume", "admin")).status == 200
    unknown = await act(server, "payouts/refuse", "cashier", payout_id="po_1", reason="fraud")
    assert (unknown.status, unknown.body["code"]) == (400, "invalid_message")
    assert unknown.body["detail"] == "there is no such payout"
    settled = await act(server, "payouts/refuse", "cashier", payout_id=ID, reason="fraud")
    assert (settled.status, settled.body["detail"]) == (409, "it is refused already")
    for nonsense in ("a\0b", "", "x" * 129, "\ud800", "po 1"):
        answer = await act(server, "payouts/refuse", "cashier", payout_id=nonsense, reason="fraud")
        assert (answer.status, answer.body["code"]) == (400, "invalid_message")
        listed = await act(server, "payouts/list", "cashier", after=nonsense or "\0")
        assert listed.status == 400
    two_lines = await act(server, "payouts/pause", "cashier", reason="a\nb")
    assert (two_lines.status, two_lines.body["code"]) == (400, "invalid_message")
    assert (await act(server, "payouts/list", "support")).status == 403

    headers = {"Authorization": f"Bearer {TOKENS['viewer']}"}
    log = (await server.request("GET", "/ops/api/log", headers=headers)).body
    assert log["intact"]
    assert [(e["operator"], e["action"], e["target"], e["reason"]) for e in log["entries"]] == [
        ("cas", "payouts/approve", ID, "seen"),
        ("bob", "payouts/approve", ID, ""),
        ("cas", "payouts/pause", "payouts", "holiday"),
        ("cas", "payouts/refuse", ID, "fraud"),
        ("adm", "payouts/resume", "payouts", ""),
    ]
