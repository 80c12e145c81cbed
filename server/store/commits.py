"""Compare and commit: the one way in which anything of a lobby or its money changes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from server.runtime.metrics import Metrics
from server.store import keys
from server.store.connection import Connection, Script
from server.store.log import Snapshot
from server.store.projection import Write

MAX_DECISION_AGE_MS: Final = 1_000
"""A decision older than this is made anew: its process, or the store, was suspended meanwhile."""


@dataclass(frozen=True, slots=True)
class Check:
    """A command whose answer must be `expected` ('' for none) for the commit to happen."""

    command: tuple[Any, ...]
    expected: str


class Commits:
    """Carries out writes in one atomic step if all checks hold."""

    def __init__(self, connection: Connection, metrics: Metrics) -> None:
        self._connection = connection
        self.metrics = metrics
        self._script = Script("commit")

    async def commit(
        self, checks: Sequence[Check], writes: Iterable[Write], decided_at_ms: float
    ) -> bool:
        """Whether the writes are done. False: nothing was written, because a check failed or the
        decision is stale; decide again from what is there now.

        Raises StoreUnavailable when it is not known whether they are done.
        """
        keys: dict[str, int] = {}
        checked = [[check.expected, *_placed(check.command, keys)] for check in checks]
        written = [_placed(write, keys) for write in writes]
        args = [repr(decided_at_ms), MAX_DECISION_AGE_MS, _json(checked), _json(written)]
        outcome, unpublished = await self._connection.run_timed(self._script, list(keys), args)
        self.metrics.commits.labels(outcome).inc()
        if unpublished:
            self.metrics.unpublished.inc(unpublished)
        return bool(outcome == "committed")


def _placed(command: tuple[Any, ...], keys: dict[str, int]) -> list[Any]:
    """The command with its key's place in `keys`, which takes it in, instead of the key."""
    name, key, *rest = command
    return [name, keys.setdefault(key, len(keys) + 1), *rest]


def _json(commands: list[list[Any]]) -> bytes:
    # One argument for all: packing each for itself cost more than the rest of a commit.
    return orjson.dumps(commands)


def log_check(lobby_id: str, snapshot: Snapshot) -> Check:
    """That the lobby is still as `snapshot` has it, as the result of the same log."""
    key, position = keys.lobby(lobby_id), snapshot.position
    if snapshot.lobby is not None and not position.hash:  # it was written before there were hashes
        return Check(("HGET", key, "version"), str(position.version))
    return Check(("HGET", key, "hash"), position.hash if snapshot.lobby is not None else "")
