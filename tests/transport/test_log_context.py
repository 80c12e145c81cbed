"""What goes wrong on a socket is logged with all that tells which one, and what was asked."""

from collections.abc import Iterator
from typing import Any

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from tests.transport.conftest import ConnectRaw
from tests.transport.hall import Server

Lines = list[Any]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What is logged meanwhile."""
    with capture_logs([merge_contextvars]) as lines:
        yield lines


async def test_an_error_of_a_command_carries_its_ids_and_what_was_sent(
    server: Server, connect_raw: ConnectRaw, lines: Lines
) -> None:
    client = await connect_raw(server)
    await client.join("/hall", "alice")
    await client.packet()

    await client.command("/hall", 1, "bug", {"number": 7})

    (line,) = lines
    assert line.pop("exc_info")
    assert line == {
        "event": "unexpected error",
        "log_level": "error",
        "sid": client.opened["sid"],
        "namespace": "/hall",
        "alien_id": "alice",
        "command": "'bug'",
        "payload": {"number": 7},
    }


async def test_an_error_of_a_connect_carries_its_ids_and_what_was_sent(
    server: Server, connect_raw: ConnectRaw, lines: Lines
) -> None:
    client = await connect_raw(server)

    await client.join("/hall-bug", "alice", last_seq=3)

    (line,) = lines
    assert (line["sid"], line["namespace"]) == (client.opened["sid"], "'/hall-bug'")
    assert line["payload"]["last_seq"] == 3


async def test_of_what_is_no_object_only_the_kind_is_logged(
    server: Server, connect_raw: ConnectRaw, lines: Lines
) -> None:
    client = await connect_raw(server)
    await client.join("/hall", "alice")
    await client.packet()

    await client.command("/hall", 1, "bug", "a token, perhaps")

    (line,) = lines
    assert line["payload"] == "str"


async def test_the_end_of_a_connection_carries_its_id(
    server: Server, connect_raw: ConnectRaw, lines: Lines
) -> None:
    client = await connect_raw(server)
    await client.join("/hall", "alice")
    await client.packet()

    client.send("no packet")
    await client.tcp_end()

    (line,) = lines
    assert (line["event"], line["sid"]) == ("malformed packet", client.opened["sid"])


async def test_the_ids_of_a_command_are_not_those_of_the_next(
    server: Server, connect_raw: ConnectRaw, lines: Lines
) -> None:
    client = await connect_raw(server)
    await client.join("/hall", "alice")
    await client.packet()
    await client.command("/hall", 1, "echo")

    client.send("no packet")
    await client.tcp_end()

    (line,) = lines
    assert not {"command", "namespace"} & line.keys()
