"""Restrictions: who may not take a seat, and where none are sold, as the operators have it.

The master stands beside the operators' log, in one slot with it; each table has a copy of its own,
in its own slot, so that the commit that seats somebody checks it in the same step. `version` counts
the changes that master or copy has seen.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson

from protocol.ids import table_tier
from server.runtime.clock import StoreClock
from server.store import keys
from server.store.commits import Check, Commits
from server.store.connection import Connection
from server.store.errors import StoreUnavailable
from server.store.projection import Write

_ATTEMPTS: Final = 100
_FIELDS_A_WRITE: Final = 1_000
"""Lua unpacks some 8,000 arguments at most."""
_BAN: Final = "ban:"
_COPIED: Final = (_BAN, "closed:")

Changes = Mapping[str, str | None]
"""Fields of a copy and their new values; None: it goes."""


@dataclass(frozen=True, slots=True)
class Restricted:
    """What was found for one request: `version` of the copy, whether the tier is `closed`, and
    `bans`, by player, with the field's text."""

    version: str = ""
    closed: bool = False
    bans: Mapping[str, str] = field(default_factory=dict)

    def banned_until(self, alien_id: str, now_ms: float) -> tuple[bool, int | None]:
        """Whether the player is banned, and until when (Unix ms; None: for good)."""
        written = self.bans.get(alien_id)
        if written is None:
            return False, None
        until = until_of(written)
        return until is None or until > now_ms, until


def until_of(written: str) -> int | None:
    """Until when a field of a ban holds (Unix ms); None: for good, also if a later version has
    written more into it than this one knows."""
    try:
        until = orjson.loads(written)
    except ValueError:
        return None
    return until if type(until) is int else None


def ban_field(alien_id: str) -> str:
    """The field of a player's ban."""
    return _BAN + alien_id


def is_ban(field: str) -> bool:
    """Whether the field is of a player's ban."""
    return field.startswith(_BAN)


def closed_field(tier: int) -> str:
    """The field of a tier that is closed."""
    return f"closed:{tier}"


class Restrictions:
    """The copies of the tables, and the master that they are copied from."""

    def __init__(self, connection: Connection, commits: Commits, clock: StoreClock) -> None:
        self._connection = connection
        self._commits = commits
        self._clock = clock

    async def of(self, table: str, alien_ids: Sequence[str]) -> Restricted:
        """What restricts these players at a table, in one command. Raises StoreUnavailable."""
        closed = closed_field(table_tier(table))
        version, is_closed, *bans = await self._connection.call(
            "HMGET", keys.restrictions(table), "version", closed, *map(ban_field, alien_ids)
        )
        found = zip(alien_ids, bans, strict=True)
        return Restricted(
            version=version or "",
            closed=is_closed is not None,
            bans={alien_id: written for alien_id, written in found if written is not None},
        )

    def unchanged_check(self, table: str, restricted: Restricted) -> Check:
        """That nothing was ordered since `restricted` was read."""
        return Check(("HGET", keys.restrictions(table), "version"), restricted.version)

    async def master(self) -> dict[str, str]:
        """All fields of the master. Raises StoreUnavailable."""
        found: dict[str, str] = await self._connection.call("HGETALL", keys.MASTER_RESTRICTIONS)
        return found

    async def apply(self, table: str, version: int, changes: Changes) -> None:
        """Bring a table's copy from the version before to `version` by its `changes`, or from any
        other by the whole master. Raises StoreUnavailable."""
        before = Check(
            ("HGET", keys.restrictions(table), "version"), str(version - 1) if version > 1 else ""
        )
        writes = _change_writes(table, version, changes)
        if not await self._commits.commit([before], writes, self._clock.now_ms()):
            await self.copy(table)

    async def bring_up(self, table: str, version: int) -> None:
        """Copy the master to a table that is behind `version`. Raises StoreUnavailable."""
        if await self.version(table) < version:
            await self.copy(table)

    async def version(self, table: str) -> int:
        """The version of a table's copy. Raises StoreUnavailable."""
        return _number(await self._connection.call("HGET", keys.restrictions(table), "version"))

    async def copy(self, table: str) -> None:
        """Bring a table's copy to where the master is by now, if it is behind. Raises
        StoreUnavailable."""
        key = keys.restrictions(table)
        for _ in range(_ATTEMPTS):
            version = await self._connection.call("HGET", key, "version") or ""
            master = await self.master()
            if _number(master.get("version")) <= _number(version):
                return
            check = Check(("HGET", key, "version"), version)
            if await self._commits.commit([check], _copy_writes(key, master), self._clock.now_ms()):
                return
        raise StoreUnavailable("the restrictions kept changing")


def _number(version: str | None) -> int:
    return int(version) if version and version.isdecimal() else 0


def _change_writes(table: str, version: int, changes: Changes) -> Iterable[Write]:
    key = keys.restrictions(table)
    yield ("HSET", key, "version", str(version))
    for name, value in changes.items():
        if name.startswith(_COPIED):
            yield ("HDEL", key, name) if value is None else ("HSET", key, name, value)


def _copy_writes(key: str, master: Mapping[str, str]) -> Iterable[Write]:
    yield ("DEL", key)
    yield ("HSET", key, "version", master["version"])
    copied = [(name, value) for name, value in master.items() if name.startswith(_COPIED)]
    for start in range(0, len(copied), _FIELDS_A_WRITE):
        some = copied[start : start + _FIELDS_A_WRITE]
        yield ("HSET", key, *(part for pair in some for part in pair))
