"""Listening sockets that several processes share a port with, one for each: the kernel spreads the
connections over them. They belong to the parent, so that what waits in one outlives its worker."""

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, Final

BACKLOG: Final = 4096
IPV6: Final = socket.AF_INET6

Address = tuple[int, Any]
"""A family and what `bind` takes."""


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def listen(host: str, port: int, count: int) -> list[Sequence[socket.socket]]:
    """Listen `count` times at `host`: each time on one socket for each of its addresses. With
    port 0 all have the same free port.

    Raises OSError, also if others listen there who share their port.
    """
    addresses = list(_addresses(host, port))
    if port:
        for address in addresses:
            with closing(_bound(address, shared=False)):
                pass
    listening: list[Sequence[socket.socket]] = []
    for _ in range(count):
        sockets = [_bound(_at(address, port), shared=True) for address in addresses[:1]]
        port = port or sockets[0].getsockname()[1]
        sockets += [_bound(_at(address, port), shared=True) for address in addresses[1:]]
        for each in sockets:
            each.listen(BACKLOG)
        listening.append(sockets)
    return listening


def _addresses(host: str, port: int) -> Iterator[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    yield from dict.fromkeys((family, address) for family, _, _, _, address in found)


def _at(address: Address, port: int) -> Address:
    family, (host, _, *rest) = address
    return family, (host, port, *rest)


def _bound(address: Address, *, shared: bool) -> socket.socket:
    family, where = address
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == IPV6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(where)
    except OSError:
        bound.close()
        raise
    return bound
