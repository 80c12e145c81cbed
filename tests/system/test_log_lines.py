"""What a server logs of requests and games: with the ids that lead to them, once."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from structlog.testing import capture_logs

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.runtime.log_context import add_ids
from tests.support.wait import until
from tests.system.game_server import running_app

LOBBY = "lobby_3500_0123456789ab"

Lines = list[Any]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What is logged meanwhile."""
    with capture_logs([add_ids]) as lines:
        yield lines


def of(lines: Lines, event: str) -> Lines:
    return [line for line in lines if line["event"] == event]


async def test_an_error_of_a_request_carries_its_ids_and_what_was_asked(
    store_url: str, issuer: DevIssuer, provider: DevProvider, lines: Lines
) -> None:
    async with running_app(store_url, issuer, provider) as game:
        with redis.Redis.from_url(store_url) as store:
            store.set(f"lobby:{{3500}}:{LOBBY}", "not what is expected there")
        path = f"/api/game/{LOBBY}/numbers/select"

        answers = [await game.post(path, "alice", {"numbers": list(range(9))}) for _ in range(2)]

        assert [answer.body["code"] for answer in answers] == ["internal", "internal"]
        first, second = of(lines, "request_failed")
        assert first["exc_info"]
        assert (first["method"], first["path"], first["alien_id"]) == ("POST", path, "alice")
        assert list(first["payload"]) == ["numbers"]
        assert first["request_id"] != second["request_id"]


async def test_a_delivery_is_logged_with_its_invoice_and_its_request(
    store_url: str, issuer: DevIssuer, provider: DevProvider, lines: Lines
) -> None:
    async with running_app(store_url, issuer, provider) as game:
        invoice = (await game.join("alice"))["invoice"]
        await game.pay(invoice)

        (line,) = of(lines, "delivery_recorded")
        assert line["invoice_id"] == invoice["invoice_id"]
        assert len(line["request_id"]) == 16


async def test_a_game_leaves_one_line_with_its_figures_at_its_end(
    store_url: str, issuer: DevIssuer, provider: DevProvider, lines: Lines
) -> None:
    async with running_app(store_url, issuer, provider, CALL_INTERVAL_SECONDS="0.02") as game:
        lobby_id = await game.ready("alice", "bob")
        await until(lambda: bool(of(lines, "game_finished")))
        await game.seat("alice", "bob")  # another one, which goes on

        (line,) = of(lines, "game_finished")
        assert line.pop("seconds") > 0
        assert line.pop("events") > 50
        assert line == {
            "event": "game_finished",
            "log_level": "info",
            "lobby_id": lobby_id,
            "outcome": "no_winner",
            "winner": None,
            "pattern": None,
            "pot": 7000,
            "players": 2,
            "calls": 50,
        }
