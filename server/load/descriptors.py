"""The limit of open files (RLIMIT_NOFILE), of which each socket takes one."""

import resource
from typing import Final

_OTHER_FILES: Final = 200  # HTTP connections, pipes, libraries


def raise_limit(sockets: int) -> None:
    """Raise the soft limit, so that this process, and each that it starts, may open that many
    sockets. Raises ValueError with a text for the user if the hard limit is lower."""
    needed = sockets + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise ValueError(
            f"{sockets} sockets in one process take {needed} file descriptors, and the limit is"
            f" {hard}: raise it (`ulimit -Hn`), or use more --processes"
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
