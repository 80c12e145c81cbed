"""Games that are over, closed invoices and unmatched payments: they are read to be moved into the
books, and let go after that.

Each step of letting go is a commit with its check, so it may come again, or late, or from two
processes at once: what changed since it was moved stays.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

from server.store import keys
from server.store.commits import NO_DECISION, Check, Commits
from server.store.connection import Connection
from server.store.projection import Write

Fields = Mapping[str, str]

_GAMES_AT_ONCE: Final = 20
_INVOICES_AT_ONCE: Final = 100
"""So many leave in one step of the store, which takes it a millisecond or so."""


@dataclass(frozen=True, slots=True)
class EndedGame:
    """A game that was moved: what of it is in the store, by its players, if its log still ends with
    `hash`, and for how long it is to stay; not at all if that is not above 0."""

    lobby_id: str
    players: Collection[str]
    hash: str
    lasting_ms: int


@dataclass(frozen=True, slots=True)
class _Going:
    """What lets go of one thing, if it is unchanged since it was moved."""

    unchanged: Check
    writes: Sequence[Write]


class PastGames:
    """What is over in one store, but for the entries of ledgers."""

    def __init__(self, connection: Connection, commits: Commits) -> None:
        self._connection = connection
        self._commits = commits

    # Games

    async def running(self, table: str, lobby_ids: Sequence[str]) -> set[str]:
        """Those of these lobbies that are not over."""
        if not lobby_ids:
            return set()
        scores = await self._connection.call("ZMSCORE", keys.timers(table), *lobby_ids)
        found = zip(lobby_ids, scores, strict=True)
        return {lobby_id for lobby_id, score in found if score is not None}

    async def ended(self, table: str, most: int) -> list[str]:
        """Lobbies that are over and not moved, the earliest first."""
        found: list[str] = await self._connection.call("ZRANGE", keys.ended(table), 0, most - 1)
        return found

    async def first_end_ms(self, table: str) -> float | None:
        """When the earliest of them ended, in Unix ms; None if there is none."""
        for lobby_id in await self.ended(table, 1):
            found = await self._connection.call("ZSCORE", keys.ended(table), lobby_id)
            return None if found is None else float(found)
        return None

    async def let_go_of_games(self, table: str, games: Sequence[EndedGame]) -> None:
        """Let games go, each when it has lasted; but for those whose log is another by now."""
        await self._let_go([_game_going(table, game) for game in games], _GAMES_AT_ONCE)

    async def forget_ended(self, table: str, lobby_ids: Collection[str]) -> None:
        """Lobbies that are not there (any more) are not to be moved."""
        if lobby_ids:
            await self._connection.call("ZREM", keys.ended(table), *lobby_ids)

    # Invoices

    async def closed_invoices(self, table: str, until_ms: float, most: int) -> dict[str, Fields]:
        """Invoices that were closed and have not changed since `until_ms`, and whose lobbies are
        over; without fields those that are gone. None only if there is none.

        They are read when the lobbies are known to be over: from then on only deliveries change
        them, and those change their `version`.
        """
        index = keys.closed_invoices(table)
        for first in count(step=most):  # as long as all that come before are of running lobbies
            names = await self._connection.call(
                "ZRANGEBYSCORE", index, "-inf", until_ms, "LIMIT", first, most
            )
            found = await self._of_lobbies_over(table, names)
            if found or len(names) < most:
                break
        if found:
            await self._commits.confirm(table)
        return found

    async def _of_lobbies_over(self, table: str, names: Sequence[str]) -> dict[str, Fields]:
        asked = (self._connection.call("HGET", keys.invoice(name), "lobby_id") for name in names)
        lobbies = dict(zip(names, await asyncio.gather(*asked), strict=True))
        running = await self.running(table, sorted({found for found in lobbies.values() if found}))
        over = [name for name, lobby_id in lobbies.items() if lobby_id not in running]
        loads = (self._connection.call("HGETALL", keys.invoice(name)) for name in over)
        return dict(zip(over, await asyncio.gather(*loads), strict=True))

    async def forget_invoices(self, table: str, invoice_ids: Collection[str]) -> None:
        """Invoices that are not there (any more) are not to be moved; but for those that a delivery
        has brought back."""
        index = keys.closed_invoices(table)
        going = [
            _Going(Check(("EXISTS", keys.invoice(name)), "0"), [("ZREM", index, name)])
            for name in invoice_ids
        ]
        await self._let_go(going, _INVOICES_AT_ONCE)

    async def let_go_of_invoices(self, table: str, versions: Mapping[str, str]) -> None:
        """Let invoices go, but for those of which there is another version by now: another
        delivery came since they were moved."""
        going = [_invoice_going(table, name, version) for name, version in versions.items()]
        await self._let_go(going, _INVOICES_AT_ONCE)

    # Unmatched payments

    async def unmatched(self, most: int) -> dict[str, str]:
        """Some of the payments that match nothing: raw bodies by transaction."""
        cursor = "0"
        found: dict[str, str] = {}
        while True:
            cursor, page = await self._connection.call(
                "HSCAN", keys.UNMATCHED, cursor, "COUNT", most
            )
            found |= page
            if str(cursor) == "0" or len(found) >= most:
                return found

    async def let_go_of_unmatched(self, transactions: Collection[str]) -> None:
        """Let these go: they never change."""
        if transactions:
            await self._connection.call("HDEL", keys.UNMATCHED, *transactions)

    async def _let_go(self, going: Sequence[_Going], at_once: int) -> None:
        """Let go of what has not changed: many in one step, or, if one of them has, each by
        itself. What was moved so stays moved, however long ago that was decided."""
        for first in range(0, len(going), at_once):
            some = going[first : first + at_once]
            writes = [write for each in some for write in each.writes]
            if await self._commits.commit([each.unchanged for each in some], writes, NO_DECISION):
                continue
            for each in some if len(some) > 1 else ():
                await self._commits.commit([each.unchanged], each.writes, NO_DECISION)


def _game_going(table: str, game: EndedGame) -> _Going:
    lobby_id = game.lobby_id
    kept = [
        keys.lobby(lobby_id),
        keys.numbers_called(lobby_id),
        keys.events(lobby_id),
        keys.proof(lobby_id),
        *(keys.player(lobby_id, alien_id) for alien_id in game.players),
    ]
    ending: list[Write] = [
        ("PEXPIRE", key, game.lasting_ms) if game.lasting_ms > 0 else ("DEL", key) for key in kept
    ]
    same = Check(("HGET", keys.lobby(lobby_id), "hash"), game.hash)
    return _Going(same, [*ending, ("ZREM", keys.ended(table), lobby_id)])


def _invoice_going(table: str, invoice_id: str, version: str) -> _Going:
    key = keys.invoice(invoice_id)
    return _Going(
        Check(("HGET", key, "version"), version),
        [("DEL", key), ("ZREM", keys.closed_invoices(table), invoice_id)],
    )
