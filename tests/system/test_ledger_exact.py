"""Amounts that no float and no 64-bit integer holds: every place that shows them."""

import base64
import json
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import pytest

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.support.wait import until
from tests.system.conftest import Run
from tests.system.game_server import WEBHOOK, GameServer, running_app

UNITS = "1234567890" * 4 + "000001"
COINS = "1234567890" * 4 + ".000001"
TOKEN = "sixteen-characters-or-more"
OPERATOR = {"Authorization": "Basic " + base64.b64encode(f"any:{TOKEN}".encode()).decode()}


@pytest.fixture
async def server(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> AsyncIterator[GameServer]:
    """A server on which somebody has paid far too much, and somebody a fraction of a coin."""
    variables = {"COIN_DECIMALS": "6", "HTTP_RATE": "0", "OPS_TOKEN": TOKEN}
    async with running_app(store_url, issuer, provider, **variables) as running:
        for name, units in (("alice", UNITS), ("bob", "999999")):
            invoice = (await running.join(name))["invoice"]
            payload = running.provider.payload(invoice) | {"amount": units, "decimals": 6}
            await running.provider.deliver(running.url + WEBHOOK, payload)
        yield running


async def test_amounts_are_listed_settled_and_audited_to_the_last_unit(
    server: GameServer, fair_bingo: Run
) -> None:
    code, listed = await fair_bingo("ledger", "list")
    assert code == 0, listed
    assert [line.split()[3] for line in listed.splitlines()] == [f"+{COINS}"] * 2 + [
        "+0.999999"
    ] * 2
    code, listed = await fair_bingo("ledger", "list", "--owed", "--json")
    owed = [json.loads(line, parse_float=Decimal) for line in listed.splitlines()]
    assert (code, [entry["amount"] for entry in owed]) == (0, [COINS, "0.999999"])
    settled, output = await fair_bingo("ledger", "settle", owed[0]["entry"], "--reference", "tx")
    assert settled == 0, output
    _, listed = await fair_bingo("ledger", "list", "--json")
    assert json.loads(listed.splitlines()[-1])["amount"] == COINS
    code, output = await fair_bingo("audit")
    total = "1234567890" * 3 + "1234567891"
    assert (code, f"received {total} = pot 0 + payout_owed 0 + refund_owed {total}" in output) == (
        0,
        True,
    ), output


async def test_the_metrics_and_the_operators_page_show_any_amount(server: GameServer) -> None:
    def owed(metrics: str) -> float:
        name = 'fair_bingo_owed_coins{kind="refund_owed",tier="3500"} '
        return next(float(x.removeprefix(name)) for x in metrics.splitlines() if x.startswith(name))

    async def holds(path: str, read: Callable[[Any], float]) -> bool:
        answer = await server.request("GET", path, headers=OPERATOR)
        return read(answer.body) == pytest.approx(float(COINS))

    await until(lambda: holds("/metrics", lambda body: owed(body.decode())))

    def shown(nodes: Any) -> float:
        figures: dict[str, float] = next(iter(nodes.values()), {})
        return figures.get('fair_bingo_owed_coins{tier="3500",kind="refund_owed"}', 0.0)

    await until(lambda: holds("/ops/nodes", shown))
