"""A connection lives as long as its tokens."""

from dataclasses import replace
from typing import Any

import pytest

from server.transport.close_reason import CloseReason
from tests.transport.conftest import ConnectRaw
from tests.transport.echo_server import Server


async def test_a_connection_ends_with_the_token_that_expires_first(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await connect_raw(server)
    await client.join("/echo-1", "alice:3600")
    await client.packet()
    await client.join("/echo-2", "alice:1")
    await client.packet()

    packets = await client.tcp_end()

    assert packets == ["41/echo-1,", "41/echo-2,"]
    assert server.counts.ended[CloseReason.EXPIRED] == 1


async def test_a_token_that_expires_later_does_not_lengthen_a_connection(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await connect_raw(server)
    await client.join("/echo-1", "alice:600")
    await client.packet()
    (session,) = server.gateway.eio.sockets.values()
    expires_at_ms, deadline = session.expires_at_ms, session._deadline

    await client.join("/echo-2", "alice:3600")
    await client.packet()

    assert session.expires_at_ms == expires_at_ms
    assert session._deadline is deadline
    assert deadline is not None
    assert not deadline.cancelled()


async def test_a_refreshed_token_replaces_all_tokens_of_the_connection(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await connect_raw(server)
    await client.join("/echo-1", "alice:600")
    await client.packet()
    await client.join("/echo-2", "alice:600")
    await client.packet()
    (session,) = server.gateway.eio.sockets.values()
    expires_at_ms, deadline = session.expires_at_ms, session._deadline

    answer = await client.command("/echo-2", 1, "refresh_token", {"token": "alice:3600"})

    assert answer == {"ok": True, "expires_at": session.expires_at_ms}
    assert session.expires_at_ms > expires_at_ms
    assert deadline is not None
    assert deadline.cancelled()
    assert (await client.command("/echo-1", 2, "echo"))["ok"]


async def test_a_refreshed_token_that_lives_shorter_counts_too(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await connect_raw(server)
    await client.join("/echo", "alice:3600")
    await client.packet()

    await client.command("/echo", 1, "refresh_token", {"token": "alice:2"})

    assert await client.tcp_end() == ["41/echo,"]


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"token": "bob"}, "identity_mismatch"),
        ({"token": "alice", "alien_id": "bob"}, "identity_mismatch"),
        ({"token": ""}, "unauthorized"),
        ({"token": 5}, "invalid_message"),
        ({}, "invalid_message"),
        ("alice", "invalid_message"),
        (None, "invalid_message"),
    ],
)
async def test_a_refused_refresh_changes_nothing(
    server: Server, connect_raw: ConnectRaw, payload: Any, code: str
) -> None:
    client = await connect_raw(server)
    await client.join("/echo", "alice:3600")
    await client.packet()
    (session,) = server.gateway.eio.sockets.values()
    expires_at_ms = session.expires_at_ms

    answer = await client.command("/echo", 1, "refresh_token", payload)

    assert answer["error"]["code"] == code
    assert session.expires_at_ms == expires_at_ms


async def test_a_token_is_checked_once_for_all_namespaces_of_a_connection(
    server: Server, connect_raw: ConnectRaw
) -> None:
    # Here a token's time begins when it is checked: checked again, it would live longer.
    client = await connect_raw(server)
    await client.join("/echo-1", "alice:3600")
    await client.packet()
    (session,) = server.gateway.eio.sockets.values()
    expires_at_ms = session.expires_at_ms
    session.expires_at_ms = float("inf")
    await client.join("/echo-2", "alice:3600")
    await client.packet()
    assert session.expires_at_ms == expires_at_ms


async def test_a_token_that_expired_on_the_connection_is_checked_again(
    server: Server, connect_raw: ConnectRaw
) -> None:
    client = await connect_raw(server)
    await client.join("/echo-1", "alice")
    await client.packet()
    (session,) = server.gateway.eio.sockets.values()
    assert session.vouched is not None
    digest, identity = session.vouched
    session.vouched = digest, replace(identity, expires_at_ms=0.0)  # as if its time were over
    await client.join("/echo-2", "alice")  # the issuer here gives it new time
    await client.packet()
    assert session.vouched[1].expires_at_ms > 0
    assert len(session.members) == 2
