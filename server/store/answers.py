"""What a store's answers that are errors mean: that it is elsewhere, moving, or cannot now."""

import re
from typing import Final

from redis import exceptions

from server.store.errors import StoreUnavailable

UNAVAILABLE: Final = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ReadOnlyError,
    exceptions.OutOfMemoryError,
    exceptions.NoPermissionError,
    exceptions.ClusterDownError,
    exceptions.TryAgainError,
    OSError,
)
# What a store says when it is there but cannot take the write now, and redis-py has no class for.
# Redis 6 puts what a script's command was refused with into a text of the script's own.
_REFUSING: Final = re.compile("^ACL failure in script|(?:^|-)(?:MISCONF|NOREPLICAS|BUSY|OOM) ")
_ELSEWHERE: Final = (
    exceptions.ReadOnlyError,
    exceptions.MasterDownError,
    exceptions.ClusterDownError,
    exceptions.BusyLoadingError,
    exceptions.AskError,  # of which MOVED is one
)
_REDIRECTIONS: Final = (exceptions.AskError, exceptions.TryAgainError)  # MOVED is an AskError
# What a script says that reads more than the keys that it was given, when some are moving.
_MOVING: Final = re.compile("attempted to access a non local key")
_ELSEWHERE_IN_SCRIPT: Final = re.compile("-(?:READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|MOVED|ASK) ")


def is_redirection(error: Exception) -> bool:
    """Whether nothing was done, and the same may be asked elsewhere, or soon."""
    return isinstance(error, _REDIRECTIONS) or _MOVING.search(str(error)) is not None


def is_unavailable(error: Exception) -> bool:
    """Whether the same command may succeed later."""
    if isinstance(error, (StoreUnavailable, *UNAVAILABLE)) or says_elsewhere(error):
        return True
    return _REFUSING.search(str(error)) is not None


def says_elsewhere(error: Exception) -> bool:
    """Whether this says that the store is not, or not yet, the primary of what was asked for."""
    return isinstance(error, _ELSEWHERE) or _ELSEWHERE_IN_SCRIPT.search(str(error)) is not None
