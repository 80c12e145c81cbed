"""Ports for servers that are started on the spot."""

import random
import socket

# Below the ports that clients are given. One of those could be taken while its server is down,
# even by a client that tries to reach the server: it may connect to itself.
_PORTS = range(20000, 32000)
_RANDOM = random.SystemRandom()  # the other one may be seeded, in several processes alike


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody uses at the moment.

    Raises OSError when each of 100 random ones is taken.
    """
    for port in _RANDOM.sample(_PORTS, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port on 127.0.0.1")
