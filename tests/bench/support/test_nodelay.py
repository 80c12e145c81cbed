import os
import socket

import pytest

from tests.bench.support.nodelay import set_nodelay


def test_a_connection_of_a_process_is_set() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as ours:
            for nodelay in (True, False):
                set_nodelay(os.getpid(), port, nodelay=nodelay)
                assert bool(ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)) is nodelay
        with pytest.raises(LookupError):
            set_nodelay(os.getpid(), port, nodelay=True)
