"""What operators look up: a lobby, a player, and what is ordered now."""

import asyncio
from typing import Any

from protocol import ids
from protocol.errors import ErrorCode, Refused
from protocol.http import iso_time
from protocol.operator_views import DebtLook, LobbyLook, OrdersLook, PlayerLook, SeatLook, StepLook
from server.rules.lobby import Lobby
from server.rules.views import public_view
from server.runtime.clock import StoreClock
from server.services.announcements import standing_announcements
from server.services.cluster_stats import ClusterStats
from server.services.operator_orders import closed_tiers
from server.services.past import Past
from server.services.transcript import in_words
from server.store.directory import Directory
from server.store.ledger import LedgerEntry
from server.store.lobbies import LobbyStore
from server.store.replay import BrokenLog, Step, is_kept, replay
from server.store.restrictions import Restrictions, ban_field, until_of
from server.store.tables import Tables


class OperatorLooks:
    """Reads the store and, of what has left it, the books (`past`; None without them). What is
    owed is of the last few seconds (`stats`)."""

    def __init__(
        self,
        lobbies: LobbyStore,
        directory: Directory,
        restrictions: Restrictions,
        tables: Tables,
        stats: ClusterStats,
        clock: StoreClock,
        past: Past | None = None,
    ) -> None:
        self._lobbies = lobbies
        self._directory = directory
        self._restrictions = restrictions
        self._tables = tables
        self._stats = stats
        self._clock = clock
        self._past = past

    async def lobby(self, lobby_id: str) -> LobbyLook | Refused:
        """A lobby with all that happened in it, without its secrets. Raises StoreUnavailable."""
        if not ids.is_lobby_id(lobby_id):
            return Refused(ErrorCode.UNKNOWN_LOBBY)
        kept, entries = await self._lobbies.texts_with_log(lobby_id)
        game = None if entries or self._past is None else await self._past.game(lobby_id)
        if not entries and game is None:
            return Refused(ErrorCode.UNKNOWN_LOBBY)
        steps: list[Step] = []
        problem = None
        try:
            replayed = replay(entries, kept[0].get("hash", "")) if game is None else game.replay()
            steps.extend(replayed)  # as far as it holds
            if game is None and not is_kept(steps[-1], kept):
                problem = "its hashes are not what its log leads to"
        except BrokenLog as error:
            problem = str(error)
        return self._lobby_look(lobby_id, steps, problem, moved=game is not None)

    def _lobby_look(
        self, lobby_id: str, steps: list[Step], problem: str | None, *, moved: bool
    ) -> LobbyLook:
        lobby = steps[-1].lobby if steps else None
        debts = self._stats.open_debts(ids.lobby_table(lobby_id))
        return LobbyLook(
            lobby_id=lobby_id,
            view=_view(lobby, steps),
            paid_players=0 if lobby is None else sum(1 for _ in lobby.paid_players()),
            in_books=moved,
            problem=problem,
            owed=[_debt(entry) for entry in debts if entry.lobby_id == lobby_id],
            payouts=[],
            steps=[
                StepLook(
                    id=step.record.position.id,
                    at=iso_time(step.record.position.at_ms),
                    text=in_words(step),
                )
                for step in steps
            ],
        )

    async def player(self, alien_id: str) -> PlayerLook:
        """Where a player sits, what they are owed, and whether they are banned. Raises
        StoreUnavailable."""
        tables = await self._tables.read()
        master = await self._restrictions.master()
        found = await asyncio.gather(
            *(self._directory.played_by(table, alien_id) for table in tables)
        )
        names = [lobby_id for of_table in found for lobby_id in of_table]
        snapshots = await asyncio.gather(*map(self._lobbies.load, names))
        written = master.get(ban_field(alien_id))
        until = None if written is None else until_of(written)
        debts = [entry for table in tables for entry in self._stats.open_debts(table)]
        return PlayerLook(
            alien_id=alien_id,
            banned=written is not None and (until is None or until > self._clock.now_ms()),
            until=until,
            seats=[
                _seat(snapshot.lobby, alien_id)
                for snapshot in snapshots
                if snapshot.lobby is not None and alien_id in snapshot.lobby.players
            ],
            owed=[_debt(entry) for entry in debts if entry.alien_id == alien_id],
        )

    async def orders(self) -> OrdersLook:
        """What operators have ordered and holds now. Raises StoreUnavailable."""
        master = await self._restrictions.master()
        now_ms = self._clock.now_ms()
        bans = {
            field.removeprefix("ban:"): until_of(written)
            for field, written in master.items()
            if field.startswith("ban:")
        }
        standing = standing_announcements(master)
        return OrdersLook(
            closed=sorted(closed_tiers(master)),
            banned={name: until for name, until in bans.items() if until is None or until > now_ms},
            announcements=[each for each in standing if (each.until or 0) > now_ms],
        )


def _view(lobby: Lobby | None, steps: list[Step]) -> dict[str, Any] | None:
    if lobby is None:
        return None
    return public_view(lobby, steps[-1].record.position.seq).model_dump()


def _seat(lobby: Lobby, alien_id: str) -> SeatLook:
    player = lobby.players[alien_id]
    return SeatLook(
        lobby_id=lobby.lobby_id, status=lobby.status, paid=player.paid, active=player.active
    )


def _debt(entry: LedgerEntry) -> DebtLook:
    return DebtLook(
        entry=entry.entry_id,
        kind=entry.kind,
        alien_id=entry.alien_id,
        lobby_id=entry.lobby_id,
        amount=float(entry.amount),
        at=iso_time(entry.at),
    )
