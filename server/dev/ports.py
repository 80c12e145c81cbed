"""Free TCP ports for servers that are started on this machine."""

import fcntl
import os
import random
import socket
from functools import cache
from pathlib import Path
from tempfile import gettempdir

# Below the ephemeral ports, which the system gives to clients. One of those could be taken while
# its server is down, even by a client that tries to reach the server: it may connect to itself.
_PORTS = range(20000, 32000)
_RANDOM = random.SystemRandom()  # `random` itself may be seeded, in several processes alike
_given: set[int] = set()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that is not in use. Until this process ends it is not given again,
    in no process of this user, so that its server may be down now and then.

    Raises OSError if each of 100 random ones is taken, or if the file of claims cannot be opened.
    """
    claims = _claims()
    for port in _RANDOM.sample(_PORTS, 100):
        if port not in _given and _claim(claims, port) and _is_free(port):
            _given.add(port)
            return port
    raise OSError("no free port on 127.0.0.1")


def _claim(claims: int, port: int) -> bool:
    """Claim a port for this process. Returns whether no other process has claimed it."""
    try:
        fcntl.lockf(claims, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


@cache
def _claims() -> int:
    """The open file of all claims: a record lock on the byte at a port's offset claims it, until
    its process ends, however it does."""
    path = Path(gettempdir()) / f"fair-bingo-ports-{os.getuid()}"
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
