"""The bench works. No time is judged here."""

import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from server.transport.session import PING_INTERVAL_SECONDS
from tests.bench.fanout.audience import Audience
from tests.bench.fanout.connection import Connection, Unexpected
from tests.bench.fanout.contenders import IN_PYTHON, OURS, RAW, Contender, in_javascript
from tests.bench.fanout.measure import measure
from tests.bench.fanout.results import summary, table
from tests.bench.fanout.server_process import ServerProcess
from tests.bench.fanout.work import Shape, socketio_frame

LONGER_THAN_A_PING_TIMEOUT_SECONDS = 2 * PING_INTERVAL_SECONDS + 3


def compare(contenders: Sequence[Contender], shape: Shape) -> None:
    runs = measure(contenders, shape, slices=1, slice_seconds=0.1, server_core=None)

    assert all(run.deliveries_per_second > 0 for of_server in runs.values() for run in of_server)
    assert summary(shape, runs).keys() == {"sockets", "room_size", "slices", "servers"}
    assert len(table(runs).splitlines()) == 1 + len(contenders)


@pytest.mark.parametrize("room_size", [10, 1])
def test_the_servers_in_python_send_the_same_frames(room_size: int) -> None:
    compare(IN_PYTHON, Shape(sockets=20, room_size=room_size))


def test_the_servers_in_javascript_send_what_is_expected() -> None:
    others = in_javascript()
    if not others:
        pytest.skip("node and npm are not installed")
    compare((IN_PYTHON[0], *others), Shape(sockets=20, room_size=10))


def test_nobody_is_given_up_while_others_take_long_to_join() -> None:
    shape = Shape(sockets=10, room_size=1)

    def join_slowly(port: int, room: str) -> Connection:
        time.sleep(LONGER_THAN_A_PING_TIMEOUT_SECONDS / shape.sockets)
        return RAW.join(port, room)

    compare([OURS, replace(RAW, join=join_slowly)], shape)


def test_a_server_that_ends_is_noticed() -> None:
    with ServerProcess(RAW.command, core=None) as server:
        clients = Audience(RAW, Shape(2, 1), server)
    with clients, pytest.raises(Unexpected):
        clients.answer_pings()


def test_a_server_that_sends_anything_else_is_noticed() -> None:
    wrong = replace(OURS, frame=lambda room, number: socketio_frame(room, number + 1))

    with pytest.raises(Unexpected):
        measure([wrong], Shape(2, 1), slices=1, slice_seconds=0.1, server_core=None)
