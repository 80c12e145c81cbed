import os
import socket

import pytest

from tests.bench.nodelay import send_at_once


def test_a_connection_of_a_process_is_set() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as ours:
            for at_once in (True, False):
                send_at_once(os.getpid(), port, at_once=at_once)
                assert bool(ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)) is at_once
        with pytest.raises(LookupError):
            send_at_once(os.getpid(), port, at_once=True)
