"""The operator's look at all nodes: who may have it, and that its figures are the store's."""

import base64
import json
from typing import Any

import pytest
from redis.asyncio import Redis

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.support.wait import until
from tests.system.game_server import GameServer, running_app
from tests.system.stored_ledger import StoredLedger, pay_and_leave

TOKEN = "sixteen-characters-or-more"


def basic(password: str) -> dict[str, str]:
    """The header of a browser in which this password was entered."""
    return {"Authorization": "Basic " + base64.b64encode(f"anyone:{password}".encode()).decode()}


async def statistics_of(server: GameServer, nodes: int) -> dict[str, Any]:
    """The statistics of so many nodes, when all have written theirs."""
    found: dict[str, Any] = {}

    async def complete() -> bool:
        answer = await server.request("GET", "/ops/nodes", headers=basic(TOKEN))
        assert answer.status == 200
        found.clear()
        found.update(answer.body)
        return len(found) == nodes

    await until(complete)
    return found


@pytest.mark.parametrize("path", ["/ops", "/ops/nodes"])
async def test_without_a_token_set_there_is_no_such_page(
    store_url: str, issuer: DevIssuer, provider: DevProvider, path: str
) -> None:
    async with running_app(store_url, issuer, provider) as server:
        assert (await server.get(path)).status == 404


@pytest.mark.parametrize("path", ["/ops", "/ops/nodes"])
@pytest.mark.parametrize(
    "headers",
    [{}, basic("wrong"), basic(TOKEN + "x"), {"Authorization": "Basic ?"}, {"Authorization": "x"}],
    ids=["none", "wrong", "longer", "no base64", "another scheme"],
)
async def test_only_who_knows_the_token_may_look(
    store_url: str, issuer: DevIssuer, provider: DevProvider, path: str, headers: dict[str, str]
) -> None:
    async with running_app(store_url, issuer, provider, OPS_TOKEN=TOKEN) as server:
        refused = await server.request("GET", path, headers=headers)
        assert (refused.status, refused.body["code"]) == (401, "unauthorized")
        assert refused.headers["WWW-Authenticate"].startswith("Basic ")
        assert (await server.request("GET", path, headers=basic(TOKEN))).status == 200


async def test_it_shows_lobbies_and_debts_until_they_are_settled(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    async with (
        running_app(store_url, issuer, provider, OPS_TOKEN=TOKEN) as server,
        Redis.from_url(store_url, decode_responses=True) as redis,
    ):
        await pay_and_leave(server)
        await server.ready("dave", "erin")
        await server.seat("bob")

        async def shows(owed: int) -> bool:
            (figures,) = (await statistics_of(server, 1)).values()
            wanted = {
                'fair_bingo_lobbies{tier="3500",phase="forming"}': 1,
                'fair_bingo_lobbies{tier="3500",phase="playing"}': 1,
                'fair_bingo_owed_coins{tier="3500",kind="refund_owed"}': owed,
                'fair_bingo_owed_coins{tier="3500",kind="payout_owed"}': 0,
                "fair_bingo_scheduler_up": 1,
            }
            aged = figures.get('fair_bingo_oldest_debt_age_seconds{tier="3500"}', 0) > 0
            return wanted.items() <= figures.items() and bool(aged == (owed > 0))

        await until(lambda: shows(3500))
        ledger = StoredLedger(redis)
        settled = (await ledger.owed()).partition(":")[2]
        await ledger.append(kind="settled", amount="3500", lobby_id="any", event=settled)
        await until(lambda: shows(0))


async def test_every_node_shows_all_nodes_and_forgets_who_is_gone(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    gone = "another-1"
    async with (
        running_app(store_url, issuer, provider, OPS_TOKEN=TOKEN) as server,
        Redis.from_url(store_url, decode_responses=True) as redis,
    ):
        (own,) = await statistics_of(server, 1)
        await redis.hset("nodes", gone, json.dumps({"at_ms": 9e15}))
        assert set(await statistics_of(server, 2)) == {own, gone}
        await redis.hset("nodes", gone, json.dumps({"at_ms": 0}))
        assert set(await statistics_of(server, 1)) == {own}
        assert not await redis.hexists("nodes", gone)


async def test_figures_of_another_version_are_left_alone(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    newer = {
        "with more": json.dumps({"at_ms": 9e15, "known": 1.5, "new": {"a": 1}}),
        "without a time": json.dumps({"seen": "today"}),
        "of another shape": "[1]",
        "of another language": "\x00",
    }
    async with Redis.from_url(store_url, decode_responses=True) as redis:
        stored = StoredLedger(redis).redis
        await stored.hset("nodes", mapping=newer)
        async with running_app(store_url, issuer, provider, OPS_TOKEN=TOKEN) as server:
            found = await statistics_of(server, 2)
            assert found["with more"] == {"at_ms": 9e15, "known": 1.5}
            assert newer.items() <= (await stored.hgetall("nodes")).items()
