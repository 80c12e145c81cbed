"""A namespace for each lobby costs nothing but its members."""

import gc
from collections.abc import Iterator

from server.transport.close_reason import CloseReason
from server.transport.member import Member
from server.transport.session import Session
from tests.support.wait import until
from tests.transport.conftest import ConnectRaw
from tests.transport.echo_server import Server


class NeverWalked(dict[str, dict[Member, object]]):
    """A table in which one may look up, but not look around."""

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("somebody walks all namespaces")

    keys = values = items = __iter__  # type: ignore[assignment]


def alive(kind: type) -> int:
    gc.collect()
    return sum(type(one) is kind for one in gc.get_objects())


async def test_who_connects_or_disconnects_looks_at_no_namespace_but_their_own(
    server: Server, connect_raw: ConnectRaw
) -> None:
    server.rooms.rooms = NeverWalked()  # type: ignore[assignment]
    for number in range(3):
        await (await connect_raw(server)).join(f"/echo-{number}", "alice")
    leaving = await connect_raw(server)
    await leaving.join("/echo-0", "bob")
    await leaving.join("/echo-9", "bob")

    leaving.send("1")

    await until(lambda: server.counts.ended[CloseReason.LEFT] == 1)
    assert len(server.rooms.rooms["/echo-0"]) == 1
    assert "/echo-9" not in server.rooms.rooms
    assert server.counts.failures == 0
    server.rooms.rooms = dict(dict.items(server.rooms.rooms))


async def test_nothing_is_left_of_those_who_are_gone(
    server: Server, connect_raw: ConnectRaw
) -> None:
    sessions, members = alive(Session), alive(Member)
    for number in range(20):
        client = await connect_raw(server)
        await client.join(f"/echo-{number}", "alice")
        await client.close()

    await until(lambda: server.gateway.eio.sockets == {})

    assert server.rooms.rooms == {}
    assert list(server.rooms.get_namespaces()) == []
    await until(lambda: (alive(Session), alive(Member)) == (sessions, members))


async def test_the_tables_of_the_library_stay_empty(
    server: Server, connect_raw: ConnectRaw
) -> None:
    gateway = server.gateway
    tables = ("environ", "handlers", "namespace_handlers", "_binary_packet")
    tables_of_manager = ("eio_to_sid", "callbacks", "pending_disconnect")
    before = {name: len(getattr(gateway, name)) for name in tables}

    client = await connect_raw(server)
    await client.join("/echo-1", "alice")

    assert {name: len(getattr(gateway, name)) for name in tables} == before
    assert all(not getattr(server.rooms, name) for name in tables_of_manager)
