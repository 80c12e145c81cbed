"""A connection does not outlive its tokens, and lives on with a new one."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.system.game_server import GameServer, running_app
from tests.system.shapes import ANSWERS
from tests.system.spec import assert_shape
from tests.transport.raw import RawClient

DESK = "/lobbies"
LIFETIME_SECONDS = 4.0  # it ends before there is a ping
LONG_LIFETIME_SECONDS = 20.0
CLOSE_SECONDS = 5.0
ATTEMPTS = 5
"""A machine that pauses may delay any one of them."""


class ExpiredError(Exception):
    """A machine that pauses has let the token expire before everything was received."""


@pytest.fixture
async def game(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> AsyncIterator[GameServer]:
    """A server."""
    async with running_app(store_url, issuer, provider) as game:
        yield game


async def at_the_desk(game: GameServer, lifetime_seconds: float = 600) -> tuple[RawClient, float]:
    """A connection that has joined `/lobbies` and received what forms, and when its token expires
    (of the monotonic clock). That is of now: to connect may take long. Raises ExpiredError."""
    client = await RawClient.connect(game.port)
    token = game.issuer.token("alice", lifetime_seconds=lifetime_seconds)
    expires_at = time.monotonic() + lifetime_seconds
    try:
        assert (await client.join(DESK, token)).startswith(f"40{DESK},")
        assert (await client.packet()).startswith(f'42{DESK},["lobbies"')
    except (AssertionError, EOFError, OSError) as error:
        await client.close()
        if time.monotonic() < expires_at:
            raise
        raise ExpiredError from error
    return client, expires_at


async def test_tcp_is_closed_within_5_s_of_the_expiry(game: GameServer) -> None:
    for _ in range(ATTEMPTS):
        try:
            client, expires_at = await at_the_desk(game, LIFETIME_SECONDS)
        except ExpiredError:
            continue
        packets = await client.tcp_end()
        ended_at = time.monotonic()
        await client.close()
        # The issuer's clock is the store's, but a tenth of a second may lie between two readings.
        assert expires_at - 0.1 < ended_at
        if ended_at < expires_at + CLOSE_SECONDS:
            assert packets[-1] == f"41{DESK},"
            return
    raise AssertionError("never closed in time")


async def test_a_refreshed_connection_lives_on(game: GameServer) -> None:
    client, expired_at = await at_the_desk(game, LONG_LIFETIME_SECONDS)
    now_s = time.time()
    token = game.issuer.token("alice", now_s=now_s, lifetime_seconds=600)
    answer = await client.command(DESK, 1, "refresh_token", {"token": token})
    assert_shape(answer, ANSWERS["refresh_token"])
    assert answer["expires_at"] == pytest.approx((now_s + 600) * 1000, abs=1)
    with suppress(TimeoutError):
        async with asyncio.timeout(expired_at + 0.5 - time.monotonic()):
            packet = await client.packet()  # and answer pings
            raise AssertionError(packet)
    assert (await client.command(DESK, 2, "list"))["ok"] is True
    await client.close()


async def test_only_a_valid_token_of_the_same_player_refreshes(game: GameServer) -> None:
    client, _ = await at_the_desk(game)
    for ack_id, (token, code) in enumerate(
        (
            (game.issuer.token("bob"), "identity_mismatch"),
            (game.issuer.token("alice", lifetime_seconds=-1), "token_expired"),
            ("x.y.z", "unauthorized"),
            (1, "invalid_message"),
        )
    ):
        answer = await client.command(DESK, ack_id, "refresh_token", {"token": token})
        assert answer["error"]["code"] == code
    await client.close()


async def test_a_connection_belongs_to_one_player(game: GameServer) -> None:
    lobby_id = await game.seat("alice")
    client, _ = await at_the_desk(game)
    refused = await client.join(f"/{lobby_id}", game.issuer.token("bob"))
    assert refused.startswith(f"44/{lobby_id},")
    assert '"identity_mismatch"' in refused
    await client.close()
