"""File descriptors: each socket takes one."""

import resource
from typing import Final

_OTHERS: Final = 200  # the HTTP connections, pipes, libraries


def raise_limit(sockets: int) -> None:
    """Let this process, and those it starts, open so many sockets. Raises ValueError with a text
    for the user if the system does not allow as many."""
    needed = sockets + _OTHERS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise ValueError(
            f"{sockets} sockets in one process take {needed} file descriptors, and the limit is"
            f" {hard}: raise it (`ulimit -Hn`), or use more --processes"
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
