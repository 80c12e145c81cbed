"""What every route of the game asks of a request: who it comes from, its body, its rate."""

import asyncio

import pytest

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.system.game_server import GameServer, HttpAnswer, running_app
from tests.transport.http.problems import assert_problem

LOBBY = "/api/game/lobby_3500_0123456789ab"
ROUTES = [
    *(("POST", "/api/game/join"), ("POST", "/api/invoices")),
    *(("POST", f"{LOBBY}/numbers/select"), ("POST", f"{LOBBY}/numbers/arrange")),
    *(("POST", f"{LOBBY}/leave"), ("POST", f"{LOBBY}/claim"), ("GET", f"{LOBBY}/status")),
]
MOST_BYTES = 16_384
BEFORE = b'{"buy_in_amount": 3500'


async def join(game: GameServer, content: bytes, **headers: str) -> HttpAnswer:
    """Send a body to a route that takes one."""
    return await game.request("POST", "/api/game/join", "alice", data=content, headers=headers)


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_every_route_wants_a_token(game: GameServer, method: str, path: str) -> None:
    assert_problem(await game.request(method, path), "unauthorized")
    expired = game.issuer.token("alice", lifetime_seconds=-1)
    token = game.issuer.token("alice")
    for authorization, code in (
        ("", "unauthorized"),
        ("Bearer", "unauthorized"),
        ("Bearer x.y.z", "unauthorized"),
        (f"Basic {token}", "unauthorized"),
        (token, "unauthorized"),
        (f"Bearer {token}x", "unauthorized"),
        (f"Bearer {expired}", "token_expired"),
    ):
        headers = {"Authorization": authorization}
        assert_problem(await game.request(method, path, headers=headers), code)


async def test_the_scheme_of_the_token_may_be_written_in_any_case(game: GameServer) -> None:
    headers = {"Authorization": f"bEARER {game.issuer.token('alice', algorithm='RS256')}"}
    answer = await game.request(
        "POST", "/api/game/join", headers=headers, data=b'{"buy_in_amount":3500}'
    )
    assert answer.status == 200


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"not json",
        BEFORE,
        BEFORE + b"}}",
        BEFORE + b', "buy_in_amount": 7000}',
        BEFORE + b', "seat": 1}',
        BEFORE + b', "client_seed": "\\ud800"}',
        BEFORE + b', "client_seed": "\xff"}',
        BEFORE + b', "client_seed": "' + 65 * b"x" + b'"}',
        b'\xef\xbb\xbf{"buy_in_amount": 3500}',
        b'{"buy_in_amount": NaN}',
        b'{"buy_in_amount": 1e999}',
        b'{"buy_in_amount": 3500.0}',
        b'{"buy_in_amount": true}',
        b'{"buy_in_amount": "3500"}',
        b'{"buy_in_amount": ' + 5000 * b"9" + b"}",
        MOST_BYTES * b"[",
        "{}".encode("utf-16"),
    ],
    ids=lambda content: content[:60].decode("latin-1") if isinstance(content, bytes) else None,
)
async def test_a_body_of_another_shape_is_an_invalid_message(
    game: GameServer, content: bytes
) -> None:
    assert_problem(await join(game, content), "invalid_message")


async def test_a_body_may_be_so_long_and_no_longer(game: GameServer) -> None:
    padding = MOST_BYTES - len(BEFORE) - 1
    assert (await join(game, BEFORE + padding * b" " + b"}")).status == 200
    assert_problem(await join(game, BEFORE + (padding + 1) * b" " + b"}"), "too_large")
    assert_problem(await join(game, 1_000_000 * b" "), "too_large")


async def test_an_encoded_body_is_not_read(game: GameServer) -> None:
    for encoding in ("gzip", "deflate", "br", "x", "GZIP", "identity, gzip"):
        answer = await join(game, BEFORE + b"}", **{"Content-Encoding": encoding})
        assert_problem(answer, "unsupported_encoding")


async def test_identity_is_no_encoding(game: GameServer) -> None:
    answer = await join(game, BEFORE + b"}", **{"Content-Encoding": "Identity"})
    assert answer.status == 200


async def test_another_path_or_method_is_a_problem_too(game: GameServer) -> None:
    for method, path, status in (
        ("GET", "/nothing", 404),
        ("POST", "/api/game", 404),
        ("GET", f"{LOBBY}", 404),
        ("GET", f"{LOBBY}/claim/", 404),
        ("GET", "/api/game/join", 405),
        ("DELETE", f"{LOBBY}/leave", 405),
        ("POST", "/health", 405),
    ):
        answer = await game.request(method, path, "alice")
        assert (answer.status, answer.content_type) == (status, "application/problem+json"), path
        assert set(answer.body) == {"type", "title", "status", "detail", "code"}
        assert (answer.body["status"], answer.body["code"]) == (status, "unknown_command")
        assert ("Allow" in answer.headers) == (status == 405)


async def test_a_player_may_ask_so_often_and_others_do_not_notice(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    async with running_app(store_url, issuer, provider, HTTP_RATE="0.01") as game:

        async def ask(name: str) -> HttpAnswer:
            return await game.get(f"{LOBBY}/status", name)

        # A burst is twice the rate, but never less than one.
        answers = await asyncio.gather(*(ask("alice") for _ in range(5)))
        refused = [answer for answer in answers if answer.status == 429]
        assert len(refused) == 4
        for answer in refused:
            assert_problem(answer, "rate_limited")
        assert_problem(await ask("bob"), "unknown_lobby")
