"""Ports for servers that are started on the spot."""

import fcntl
import os
import random
import socket
from functools import cache
from pathlib import Path
from tempfile import gettempdir

# Below the ports that clients are given. One of those could be taken while its server is down,
# even by a client that tries to reach the server: it may connect to itself.
_PORTS = range(20000, 32000)
_RANDOM = random.SystemRandom()  # the other one may be seeded, in several processes alike
_given: set[int] = set()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody uses at the moment, and that is given to nobody else who
    asks here, in other processes of this user too, until this process ends: its server may be down
    now and then.

    Raises OSError when each of 100 random ones is taken, or the file of claims cannot be opened.
    """
    claims = _claims()
    for port in _RANDOM.sample(_PORTS, 100):
        if port not in _given and _claim(claims, port) and _is_free(port):
            _given.add(port)
            return port
    raise OSError("no free port on 127.0.0.1")


def _claim(claims: int, port: int) -> bool:
    """Whether no other process has it; from now on this one has."""
    try:
        fcntl.lockf(claims, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


@cache
def _claims() -> int:
    # Of a record lock nothing is left when its process has ended, however it did.
    path = Path(gettempdir()) / f"fair-bingo-ports-{os.getuid()}"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
