"""The bench works. No time is judged here."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.bench.fanout.clients import FanoutClients
from tests.bench.fanout.connection import Connection, Unexpected
from tests.bench.fanout.contenders import (
    IN_PYTHON,
    OURS,
    RAW,
    SOCKETIO_PATH,
    STOCK,
    Contender,
    in_javascript,
    join_socketio,
)
from tests.bench.fanout.measure import measure
from tests.bench.fanout.results import kept, table
from tests.bench.fanout.server_process import ServerProcess
from tests.bench.fanout.work import NO_PING_SECONDS, Shape, socketio_frame


def compare(contenders: Sequence[Contender], shape: Shape) -> None:
    slices_of = measure(contenders, shape, slices=1, slice_seconds=0.1, server_core=None)

    assert all(each.deliveries_per_second > 0 for slices in slices_of.values() for each in slices)
    assert kept(shape, slices_of).keys() == {"sockets", "room_size", "slices", "servers"}
    assert len(table(slices_of).splitlines()) == 1 + len(contenders)


@pytest.mark.parametrize("room_size", [10, 1])
def test_the_servers_in_python_send_the_same_frames(room_size: int) -> None:
    compare(IN_PYTHON, Shape(sockets=20, room_size=room_size))


def test_the_servers_in_javascript_send_what_is_expected() -> None:
    others = in_javascript()
    if not others:
        pytest.skip("node and npm are not installed")
    compare((IN_PYTHON[0], *others), Shape(sockets=20, room_size=10))


def test_no_server_gives_clients_up_that_answer_nobody_while_others_join() -> None:
    for contender in (OURS, STOCK, *in_javascript()):
        if contender.join is join_socketio:
            with ServerProcess(contender.command, core=None) as server:
                connection = Connection(server.port, SOCKETIO_PATH)
                handshake = json.loads(connection.message()[1:])
                connection.socket.close()
            assert handshake["pingInterval"] == NO_PING_SECONDS * 1000, contender.name


def test_a_server_that_ends_is_noticed() -> None:
    with ServerProcess(RAW.command, core=None) as server:
        clients = FanoutClients(RAW, Shape(2, 1), server)
    with clients, pytest.raises(Unexpected):
        clients.answer_pings()


def test_a_server_that_sends_anything_else_is_noticed() -> None:
    wrong = replace(OURS, frame=lambda room, number: socketio_frame(room, number + 1))

    with pytest.raises(Unexpected):
        measure([wrong], Shape(2, 1), slices=1, slice_seconds=0.1, server_core=None)
