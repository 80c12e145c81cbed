"""Compare and commit: the one way in which anything of a lobby or its money changes."""

import math
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import orjson

from server.runtime.metrics import Metrics
from server.store import keys
from server.store.connection import Connection, Script
from server.store.errors import StoreUnavailable
from server.store.log import Snapshot
from server.store.projection import Write

MAX_DECISION_AGE_MS: Final = 1_000
"""A decision older than this is made anew: its process, or the store, was suspended meanwhile."""
NO_DECISION: Final = math.inf
"""When something was decided that stays true, however old."""
_CONFIRMED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Check:
    """A command whose answer must be `expected` ('' for none) for the commit to happen."""

    command: tuple[Any, ...]
    expected: str


class Commits:
    """Carries out writes in one atomic step if all checks hold.

    `confirming` is a connection that waits for replicas, if anyone is to: what is to be
    acknowledged goes there. Script and wait go out together, so one primary answers both.
    """

    def __init__(
        self, connection: Connection, metrics: Metrics, confirming: Connection | None = None
    ) -> None:
        self._connection = connection
        self._confirming = confirming
        self._confirmed: OrderedDict[Hashable, None] = OrderedDict()
        self.metrics = metrics
        self._counted = cache(metrics.commits.labels)
        self._script = Script("commit")

    @property
    def confirms(self) -> bool:
        """Whether replicas are waited for."""
        return self._confirming is not None

    async def confirm(
        self, table: str, unchanged: Sequence[Check] = (), seen: Hashable = None
    ) -> None:
        """Return when the replicas have all of that table that was read so far, whoever wrote it:
        what has not been acknowledged to anybody yet may be, from then on.

        `unchanged` are checks that what was read stands where the replicas are asked: the primary
        may have moved in between. `seen` names what was read, if it never changes, so that the
        second time costs nothing. Raises StoreUnavailable when that is not known.
        """
        if self._confirming is None or seen in self._confirmed:
            return
        # A wait is for what its own connection wrote last, so it has to write.
        written = ("SET", keys.confirmation(table), "")
        if not await self.commit(unchanged, [written], NO_DECISION):
            raise StoreUnavailable("what was read is not what the primary has by now")
        if seen is not None:
            self._confirmed[seen] = None
            if len(self._confirmed) > _CONFIRMED:
                self._confirmed.popitem(last=False)

    async def acknowledged(self, *command: Any) -> Any:
        """The answer of a command of one key, when the replicas have what it wrote. Raises
        StoreUnavailable."""
        return await (self._confirming or self._connection).call(*command)

    async def commit(
        self,
        checks: Sequence[Check],
        writes: Iterable[Write],
        decided_at_ms: float,
        *,
        confirmed: bool = True,
    ) -> bool:
        """Whether the writes are done, and `confirmed` by the replicas. False: nothing was written,
        because a check failed or the decision is stale; decide again from what is there now.

        Raises StoreUnavailable when it is not known whether they are done.
        """
        places: dict[str, int] = {}
        commands = _placed((check.command for check in checks), places)
        checked = [[c.expected, *command] for c, command in zip(checks, commands, strict=True)]
        written = _placed(writes, places)
        args = [repr(decided_at_ms), MAX_DECISION_AGE_MS, _json(checked), _json(written)]
        connection = self._confirming if confirmed and self._confirming else self._connection
        outcome, unpublished = await connection.run_timed(self._script, list(places), args)
        self._counted(outcome).inc()
        if unpublished:
            self.metrics.unpublished.inc(unpublished)
        return bool(outcome == "committed")


def _placed(commands: Iterable[tuple[Any, ...]], places: dict[str, int]) -> list[list[Any]]:
    """Commands with their keys' places in `places`, which takes them in, instead of the keys."""
    place = places.setdefault
    return [[name, place(key, len(places) + 1), *rest] for name, key, *rest in commands]


def _json(commands: list[list[Any]]) -> bytes:
    # One argument for all: packing each for itself cost more than the rest of a commit.
    return orjson.dumps(commands)


def log_check(lobby_id: str, snapshot: Snapshot) -> Check:
    """That the lobby is still as `snapshot` has it, as the result of the same log."""
    key, position = keys.lobby(lobby_id), snapshot.position
    if snapshot.lobby is not None and not position.hash:  # it was written before there were hashes
        return Check(("HGET", key, "version"), str(position.version))
    return Check(("HGET", key, "hash"), position.hash if snapshot.lobby is not None else "")
