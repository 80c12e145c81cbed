"""How the store can fail: exceptions for its users and, for the connections, those of redis-py."""

from typing import Final

from redis import RedisError, ResponseError

LOST: Final = (RedisError, OSError, RuntimeError)
"""How redis-py fails when it has no connection or loses it; that it took too long is an OSError
as well. RuntimeError is uvloop's, for a transport that closes while it is made or used."""

COMMAND_ERRORS: Final = (ResponseError,)
"""How the store refuses a command: the key is of another type, or the user may not run it."""


class StoreUnavailable(Exception):
    """The store did not answer in time or cannot take writes now. What was sent may have been
    done or not; the same request may succeed later."""


class BooksAway(StoreUnavailable):
    """It is the books that did not answer, as the text says itself."""


class Redirected(StoreUnavailable):
    """Nothing was done: what was asked for is at another node of the cluster, or on its way there.
    `answer` is that of the node."""

    def __init__(self, answer: Exception) -> None:
        super().__init__(str(answer))
        self.answer = answer


class WrongTopology(StoreUnavailable):
    """What answers is not what the store's URL names: no node of a cluster, or no sentinel."""


class NotUnderstood(StoreUnavailable):
    """What the store has is not what this version knows: a newer one wrote it, or it is damaged.
    The same request may succeed at a node that is newer."""
