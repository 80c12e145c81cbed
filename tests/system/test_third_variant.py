"""One value makes a variant: the server, its clients and the verifier play by it."""

import asyncio
import json
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from protocol.views import Invoice
from server.dev.bots import Access, Bot
from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.load.ticket import Ticket
from server.rules.tickets import Complete, Incomplete, judge
from server.rules.variants import SHAPES
from server.rules.verify import verify_proof
from server.store.timings import PATIENT
from server.transport.http.runner import KEEP_ALIVE_SECONDS
from tests.support.game import CLASSIC
from tests.support.third_variant import CORNERS, NAME, TIER, offered
from tests.support.wait import TIMEOUT_SECONDS
from tests.system.game_server import running_app

GRID = tuple(tuple(1 + 4 * row + column for column in range(4)) for row in range(4))
AT_ONCE = (0.0, 0.0)


@pytest.fixture
def third_variant(monkeypatch: pytest.MonkeyPatch) -> None:
    """The value is among the shapes."""
    monkeypatch.setitem(SHAPES, NAME, CORNERS)


@pytest.mark.usefixtures("third_variant")
async def test_a_third_variant_is_played_over_sockets_to_a_proof_that_holds(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    options = (KEEP_ALIVE_SECONDS, PATIENT, offered)
    async with running_app(
        store_url, issuer, provider, *options, CALL_INTERVAL_SECONDS="0.05"
    ) as server:

        async def pay(invoice: Invoice) -> None:
            await server.pay(invoice.model_dump())

        access = Access(server.url, issuer.token, pay)
        bots = [Bot(access, name, AT_ONCE) for name in ("ann", "bob")]
        for bot in bots:
            await bot.take_seat(TIER)
        async with asyncio.TaskGroup() as group:
            games = [group.create_task(bot.play()) for bot in bots]
        view = games[0].result()
        status = (await server.get(f"/api/game/{view.lobby_id}/status", "ann")).body
        proof = (await server.get(f"/api/game/{view.lobby_id}/proof")).body
        async with Redis.from_url(
            store_url, decode_responses=True, socket_timeout=TIMEOUT_SECONDS
        ) as redis:
            stored = await redis.hget(f"lobby:{{{TIER}}}:{view.lobby_id}", "variant")

    assert (view.rules.variant, view.rules.side, view.rules.highest) == (NAME, 4, 60)
    assert view.outcome == "won"
    assert status["patterns"] == json.loads(json.dumps(CORNERS.patterns))
    assert proof["pattern"] in CORNERS.patterns
    assert verify_proof(proof) == []
    assert "pattern is not the first complete one of the winner's grid" in verify_proof(
        proof | {"pattern": "row_0"}
    )
    assert stored is not None
    assert "patterns" not in json.loads(stored)  # the name says them


def test_the_patterns_of_the_third_variant_win_and_no_line_does() -> None:
    for name, cells in CORNERS.patterns.items():
        called = [GRID[row][column] for row, column in cells]
        assert judge(GRID, called, CORNERS.patterns) == Complete(name)
    assert judge(GRID, GRID[0], CORNERS.patterns) == Incomplete((13, 16))


def test_the_load_tool_wins_by_the_patterns_of_the_lobby() -> None:
    for cells in CORNERS.patterns.values():
        ticket = Ticket(CORNERS.side, CORNERS.highest)
        ticket.set_patterns(CORNERS.patterns)
        for number in ticket.grid[0]:
            ticket.mark(number)
        assert not ticket.is_complete
        for row, column in cells:
            ticket.mark(ticket.grid[row][column])
        assert ticket.is_complete


def test_a_stored_lobby_of_a_variant_that_is_not_known_is_won_by_lines() -> None:
    unknown = replace(CLASSIC, name=NAME, side=4, highest=60)
    assert [*unknown.patterns] == [
        *(f"row_{row}" for row in range(4)),
        *(f"col_{column}" for column in range(4)),
        "diag_lr",
        "diag_rl",
    ]
    assert len(replace(CLASSIC, side=4).patterns) == 10  # as an earlier version may have had it
