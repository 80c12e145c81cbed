"""Playing over HTTP: tickets, status, leaving, claims and the proof."""

from typing import Any

import pytest

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.rules.verify import verify_proof
from tests.support.wait import until
from tests.system.game_server import GameServer, has_pattern, numbers, running_app, ticket
from tests.system.shapes import CLAIM_FALSE, CLAIM_WON, HTTP_STATUS, PROOF
from tests.system.spec import assert_shape
from tests.transport.http.problems import assert_problem

GAME = "/api/game/"


async def test_numbers_and_grid_are_chosen_over_http(game: GameServer) -> None:
    lobby_id = await game.seat("alice")
    path = f"{GAME}{lobby_id}/numbers"
    answer = await game.post(f"{path}/select", "alice", {"numbers": numbers("alice")})
    assert answer.status == 200
    assert_shape(answer.body, {"success": True, "message": words})
    answer = await game.post(f"{path}/arrange", "alice", {"grid": ticket("alice")})
    assert answer.status == 200
    assert_shape(answer.body, {"success": True, "verified": True, "message": words})
    you = (await game.get(f"{GAME}{lobby_id}/status", "alice")).body["you"]
    assert (you["numbers"], you["grid"]) == (numbers("alice"), ticket("alice"))


def words(value: Any) -> bool:
    return isinstance(value, str) and value != ""


async def test_tickets_are_refused_as_they_are_on_sockets(game: GameServer) -> None:
    lobby_id = await game.seat("alice")
    select, arrange = (f"{GAME}{lobby_id}/numbers/{verb}" for verb in ("select", "arrange"))
    grid = {"grid": ticket("alice")}
    assert_problem(await game.post(select, "alice", {"numbers": [1]}), "invalid_numbers")
    assert_problem(await game.post(arrange, "alice", {"grid": [[1]]}), "invalid_grid")
    assert_problem(await game.post(arrange, "bob", grid), "not_seated")
    assert (await game.post(select, "alice", {"numbers": numbers("bob")})).status == 200
    assert_problem(await game.post(arrange, "alice", grid), "not_your_numbers")
    await game.arrange(await game.seat("bob"), "bob")
    assert (await game.post(select, "alice", {"numbers": numbers("alice")})).status == 200
    await game.arrange(lobby_id, "alice")
    assert_problem(await game.post(arrange, "alice", grid), "wrong_status")
    lobby_id = (await game.join("alice"))["lobby_id"]
    answer = await game.post(f"{GAME}{lobby_id}/numbers/arrange", "alice", grid)
    assert_problem(answer, "not_paid")


async def test_the_status_shows_the_public_view_and_ones_own_part(game: GameServer) -> None:
    lobby_id = await game.seat("alice")
    own = await game.get(f"{GAME}{lobby_id}/status", "alice")
    other = await game.get(f"{GAME}{lobby_id}/status", "carol")
    for answer in (own, other):
        assert (answer.status, answer.content_type) == (200, "application/json")
        assert_shape(answer.body, HTTP_STATUS)
        assert answer.body["time_elapsed"] == 0
    assert own.body.pop("you")["role"] == "player"
    assert other.body.pop("you") == {"role": "spectator"}
    assert own.body == other.body
    await game.ready("alice", "bob")

    async def elapsed() -> bool:
        status = (await game.get(f"{GAME}{lobby_id}/status", "carol")).body
        assert_shape(status, HTTP_STATUS)
        return bool(status["time_elapsed"] > 0)

    await until(elapsed)


async def test_leaving_answers_success_once(game: GameServer) -> None:
    lobby_id = await game.seat("alice")
    answer = await game.request("POST", f"{GAME}{lobby_id}/leave", "alice")
    assert (answer.status, answer.body) == (200, {"success": True})
    assert_problem(await game.post(f"{GAME}{lobby_id}/leave", "alice"), "not_seated")


async def test_a_false_claim_is_a_plain_400(game: GameServer) -> None:
    lobby_id = await game.seat("alice")
    assert_problem(await game.post(f"{GAME}{lobby_id}/claim", "alice"), "wrong_status")
    await game.ready("alice", "bob")
    answer = await game.post(f"{GAME}{lobby_id}/claim", "bob")
    assert (answer.status, answer.content_type) == (400, "application/json")
    assert_shape(answer.body, CLAIM_FALSE)
    assert answer.body["missing_numbers"] == [10, 11, 12]
    assert_problem(await game.post(f"{GAME}{lobby_id}/claim", "bob"), "removed_from_game")
    assert_problem(await game.get(f"{GAME}{lobby_id}/proof"), "not_finished")


async def test_the_valid_claim_wins_and_everyone_may_have_the_proof(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    async with (
        running_app(store_url, issuer, provider, CALL_INTERVAL_SECONDS="0.1") as game,
        game.visitor("carol") as carol,
    ):
        lobby_id = await game.ready("alice", "bob")
        await carol.enter(lobby_id, last_seq=0)
        await until(lambda: has_pattern(ticket("alice"), carol.called))
        answer = await game.post(f"{GAME}{lobby_id}/claim", "alice")
        assert (answer.status, answer.content_type) == (200, "application/json")
        assert_shape(answer.body, CLAIM_WON)
        proof = await game.get(f"{GAME}{lobby_id}/proof")
        assert (proof.status, proof.content_type) == (200, "application/json")
        assert_shape(proof.body, PROOF)
        assert (await carol.receives("game_finished"))["proof"] == proof.body
        assert verify_proof(proof.body) == []
        again = await game.post(f"{GAME}{lobby_id}/claim", "alice")
        assert (again.status, again.body) == (200, answer.body)
        assert_problem(await game.post(f"{GAME}{lobby_id}/claim", "bob"), "wrong_status")
        status = (await game.get(f"{GAME}{lobby_id}/status", "carol")).body
        assert_shape(status, HTTP_STATUS)
        assert (status["status"], status["winner"], status["pot"]) == ("finished", "alice", 7000)


async def test_an_address_may_ask_for_proofs_so_often_only(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    async with running_app(store_url, issuer, provider, CONNECT_RATE="0.001") as game:
        for code in ("unknown_lobby", "rate_limited"):
            assert_problem(await game.get(f"{GAME}lobby_3500_0123456789ab/proof"), code)


async def test_a_lobby_is_forgotten_some_time_after_its_end_but_not_its_proof(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    async with running_app(
        store_url, issuer, provider, FINISHED_TTL_SECONDS="0.5", HTTP_RATE="0"
    ) as game:
        lobby_id = await game.ready("alice", "bob")
        for name in ("alice", "bob"):
            assert (await game.post(f"{GAME}{lobby_id}/leave", name)).status == 200

        async def is_forgotten() -> bool:
            return (await game.get(f"{GAME}{lobby_id}/status", "alice")).status == 404

        await until(is_forgotten)
        assert_problem(await game.post(f"{GAME}{lobby_id}/claim", "alice"), "unknown_lobby")
        assert (await game.get(f"{GAME}{lobby_id}/proof")).body["lobby_id"] == lobby_id


async def test_a_cancelled_lobby_has_no_proof(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    async with (
        running_app(store_url, issuer, provider, LOBBY_TTL_SECONDS="0.5") as game,
        game.visitor("carol") as carol,
    ):
        lobby_id = await game.seat("alice")
        await carol.enter(lobby_id, last_seq=0)
        end = await carol.receives("game_finished", outcome="cancelled", winner=None, pattern=None)
        assert (end["pot"], end["numbers_called"], end["grids"], end["proof"]) == (0, [], {}, None)
        assert_problem(await game.get(f"{GAME}{lobby_id}/proof"), "not_finished")


@pytest.mark.parametrize(
    "lobby_id",
    [
        *("x", "lobby_3500_0123456789ab", "lobby_9_0123456789AB", "lobby_3500_0123456789ab%0A"),
        *("%00", "%ff", "%7B%7D", "..%2F.."),
    ],
)
async def test_a_lobby_that_does_not_exist_is_unknown_on_every_route(
    game: GameServer, lobby_id: str
) -> None:
    for verb in ("numbers/select", "numbers/arrange", "leave", "claim"):
        body = {"numbers/select": {"numbers": [1]}, "numbers/arrange": {"grid": [[1]]}}.get(verb)
        path = f"{GAME}{lobby_id}/{verb}"
        assert_problem(await game.post(path, "alice", body), "unknown_lobby")
    for verb in ("status", "proof"):
        path = f"{GAME}{lobby_id}/{verb}"
        assert_problem(await game.get(path, "alice"), "unknown_lobby")
