"""What goes wrong on a socket is logged with all that identifies it, and what was asked."""

from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from protocol.errors import ErrorCode, Refused
from server.runtime.log_context import add_ids
from server.transport.counts import Counts
from server.transport.failures import guarded
from tests.transport.conftest import ConnectRaw
from tests.transport.echo_server import Server

Lines = list[Any]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What is logged meanwhile."""
    with capture_logs([add_ids]) as lines:
        yield lines


async def test_an_error_of_a_command_carries_its_ids_and_what_was_sent(
    server: Server, connect_raw: ConnectRaw, lines: Lines
) -> None:
    client = await connect_raw(server)
    await client.join("/echo", "alice")
    await client.packet()

    await client.command("/echo", 1, "bug", {"number": 7})

    (line,) = lines
    assert line.pop("exc_info")
    assert line == {
        "event": "unexpected_error",
        "log_level": "error",
        "sid": client.opened["sid"],
        "namespace": "/echo",
        "alien_id": "alice",
        "command": "'bug'",
        "payload": {"number": 7},
    }


async def test_an_error_of_a_connect_carries_its_ids_and_what_was_sent(
    server: Server, connect_raw: ConnectRaw, lines: Lines
) -> None:
    client = await connect_raw(server)

    await client.join("/echo-bug", "alice", last_seq=3)

    (line,) = lines
    assert (line["sid"], line["namespace"]) == (client.opened["sid"], "'/echo-bug'")
    assert line["payload"]["last_seq"] == 3


async def test_of_what_is_no_object_only_the_kind_is_logged(lines: Lines) -> None:
    async def fail() -> None:
        raise RuntimeError("a bug")

    answer = await guarded(fail(), Counts(), "a token, perhaps")

    assert answer == Refused(ErrorCode.INTERNAL)
    (line,) = lines
    assert line["payload"] == "str"


async def test_the_end_of_a_connection_carries_its_id(
    server: Server, connect_raw: ConnectRaw, lines: Lines
) -> None:
    client = await connect_raw(server)
    await client.join("/echo", "alice")
    await client.packet()

    client.send("no packet")
    await client.tcp_end()

    (line,) = lines
    assert (line["event"], line["sid"]) == ("malformed_packet", client.opened["sid"])


async def test_the_ids_of_a_command_are_not_those_of_the_next(
    server: Server, connect_raw: ConnectRaw, lines: Lines
) -> None:
    client = await connect_raw(server)
    await client.join("/echo", "alice")
    await client.packet()
    await client.command("/echo", 1, "echo")

    client.send("no packet")
    await client.tcp_end()

    (line,) = lines
    assert not {"command", "namespace"} & line.keys()
