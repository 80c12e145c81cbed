"""Limits over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.system.game_server import GameServer
from tests.transport.http.problems import assert_problem

NONE = {
    "coins_per_day": None,
    "coins_per_week": None,
    "coins_per_month": None,
    "pending": None,
    "spent": {"day": 0, "week": 0, "month": 0},
    "excluded_until": None,
}


async def put(game: GameServer, body: Any) -> Any:
    return await game.request("PUT", "/api/me/limits", "alice", json=body)


async def test_a_player_has_no_limits_until_they_set_some(game: GameServer) -> None:
    answer = await game.get("/api/me/limits", "alice")
    assert (answer.status, answer.body) == (200, NONE)
    set_to = await put(game, {"coins_per_day": 7000, "coins_per_month": 20_000})
    assert set_to.body == NONE | {"coins_per_day": 7000, "coins_per_month": 20_000}
    assert (await game.get("/api/me/limits", "alice")).body == set_to.body
    assert (await game.get("/api/me/limits", "bob")).body == NONE


async def test_a_higher_limit_is_pending_for_a_day_and_one_that_is_not_named_stays(
    game: GameServer,
) -> None:
    await put(game, {"coins_per_day": 7000, "coins_per_week": 9000})
    raised = (await put(game, {"coins_per_day": None})).body
    assert (raised["coins_per_day"], raised["coins_per_week"]) == (7000, 9000)
    assert raised["pending"].keys() == {"coins_per_day", "from"}
    assert raised["pending"]["coins_per_day"] is None
    wait = datetime.fromisoformat(raised["pending"]["from"]) - datetime.now(UTC)
    assert timedelta(hours=23) < wait < timedelta(hours=25)
    assert (await put(game, {"coins_per_day": 3500})).body["pending"] is None


async def test_a_seat_that_could_pass_a_limit_is_refused_with_what_helps(game: GameServer) -> None:
    await put(game, {"coins_per_day": 3499})
    answer = await game.post("/api/game/join", "alice", {"buy_in_amount": 3500})
    details = {"period": "day", "limit": 3499, "spent": 0, "free_at": None}
    assert_problem(answer, "limit_reached", details)


async def test_the_refusal_of_a_break_has_its_end_and_it_cannot_be_made_shorter(
    game: GameServer,
) -> None:
    long = await game.post("/api/me/exclusion", "alice", {"days": 30})
    short = await game.post("/api/me/exclusion", "alice", {"days": 1})
    assert long.body["excluded_until"] == short.body["excluded_until"]
    answer = await game.post("/api/game/join", "alice", {"buy_in_amount": 3500})
    until = datetime.fromisoformat(long.body["excluded_until"]).timestamp() * 1000
    assert_problem(answer, "limit_reached", {"excluded_until": round(until)})


@pytest.mark.parametrize(
    "body",
    [{"coins_per_day": -1}, {"coins_per_day": "7"}, {"coins_per_day": 1.5}, {"coins_per_year": 1}],
)
async def test_what_is_no_limit_is_refused_and_changes_nothing(game: GameServer, body: Any) -> None:
    assert_problem(await put(game, body), "invalid_message")
    assert (await game.get("/api/me/limits", "alice")).body == NONE


@pytest.mark.parametrize("days", [0, 3651, 1.5, "1", None, True])
async def test_a_break_is_of_1_to_3650_days(game: GameServer, days: Any) -> None:
    answer = await game.post("/api/me/exclusion", "alice", {"days": days})
    assert_problem(answer, "invalid_message")


async def test_limits_are_of_whoever_has_the_token(game: GameServer) -> None:
    assert_problem(await put(game, {"alien_id": "bob", "coins_per_day": 1}), "identity_mismatch")
