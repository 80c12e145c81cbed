"""Changing a lobby: decide on its known state, commit, and decide again if that was outdated."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final

from protocol.errors import ErrorCode, Refused
from protocol.ids import lobby_table
from server.rules.commands import Command, Tick
from server.rules.decide import decide
from server.rules.events import Event, SeatTaken
from server.rules.lobby import Lobby, due_at
from server.runtime.clock import StoreClock
from server.runtime.metrics import Metrics
from server.services.alarms import Alarms
from server.services.locks import Locks
from server.services.replicas import LobbyReplicas
from server.services.reporting import report
from server.store.commits import Check
from server.store.lobbies import LobbyStore
from server.store.log import Record, Snapshot
from server.store.projection import Write

ATTEMPTS: Final = 100
"""How often a change is attempted while others keep changing the same lobby."""
_REMEMBERED: Final = 512
"""How many lobbies a node remembers as it changed them last: between the first seat and the first
player in the room, no replica of them is kept."""

Decision = Callable[[Lobby, float], Sequence[Event] | Refused]
"""Decides on a lobby at a time (Unix ms): what happens, possibly nothing, or why it is refused."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A lobby after a command, and the records of what it led to, with the lobby before them; none
    if nothing had to change."""

    snapshot: Snapshot
    records: Sequence[Record] = ()
    before: Lobby | None = None

    @property
    def lobby(self) -> Lobby:
        """The lobby after the command."""
        assert self.snapshot.lobby is not None  # noqa: S101 - only lobbies that exist change
        return self.snapshot.lobby

    def first(self, kind: type[Event]) -> Event | None:
        """The first event of that kind that the command led to."""
        return next((r.event for r in self.records if isinstance(r.event, kind)), None)

    def new_seat(self, alien_id: str) -> SeatTaken | None:
        """The seat that the player has taken by this command, if it did that."""
        events = (record.event for record in self.records)
        taken = (e for e in events if isinstance(e, SeatTaken) and e.alien_id == alien_id)
        return next(taken, None)


class Lobbies:
    """The lobbies, wherever they are known from: this node's memory or the store."""

    def __init__(
        self,
        store: LobbyStore,
        replicas: LobbyReplicas,
        alarms: Alarms,
        clock: StoreClock,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._replicas = replicas
        self._alarms = alarms
        self._clock = clock
        self._metrics = metrics
        self._locks = Locks()
        self._changed: OrderedDict[str, Snapshot] = OrderedDict()  # as this node changed them last

    async def snapshot(self, lobby_id: str) -> Snapshot:
        """The lobby as this node knows it, else as the store has it (no lobby if there is none)."""
        return self._replicas.snapshot(lobby_id) or await self._store.load(lobby_id)

    async def last_known(self, lobby_id: str) -> Snapshot:
        """The lobby as this node knows it or changed it last, else as the store has it. It may be
        old, so it serves for a change, which the commit checks, but never for a refusal."""
        return self._last_known(lobby_id) or await self._store.load(lobby_id)

    def _last_known(self, lobby_id: str) -> Snapshot | None:
        return self._replicas.snapshot(lobby_id) or self._changed.get(lobby_id)

    async def stored(self, lobby_id: str) -> Snapshot:
        """The lobby as the store has it."""
        return await self._store.load(lobby_id)

    async def repair_indexes(self, lobby_id: str) -> None:
        """Correct the indexes that contradict a lobby, and publish its end if no node has. Raises
        StoreUnavailable."""
        found = await self._store.load(lobby_id)
        await self._store.publish_end(found)
        await self._store.indexes.repair(lobby_id, found, self._clock.now_ms())

    async def repair_seat(self, alien_id: str, lobby_id: str) -> None:
        """Forget that a player sits in a forming lobby, if they do not. Raises StoreUnavailable."""
        found = await self._store.load(lobby_id)
        await self._store.indexes.repair_seat(alien_id, lobby_id, found, self._clock.now_ms())

    def hold(self, lobby_id: str) -> AbstractAsyncContextManager[None]:
        """Exclude other changes of a lobby within this process: they would only conflict.

        Raises StoreUnavailable as `Locks.hold` does.
        """
        return self._locks.hold(lobby_id)

    async def carry_out(self, lobby_id: str, command: Command) -> Changed | Refused:
        """Carry out a command, and return what it led to or why it is refused.

        Raises StoreUnavailable when it is not known whether it was carried out.
        """
        changed = await self.change(lobby_id, lambda lobby, now_ms: decide(lobby, command, now_ms))
        if isinstance(changed, Changed) and not isinstance(command, Tick):
            await self.confirm(changed)
        return changed

    async def confirm(self, changed: Changed) -> None:
        """Make sure that what is about to be acknowledged survives the loss of the primary. A
        command that changed nothing is confirmed too: another one may just have made the change.
        Raises StoreUnavailable when that is not known."""
        if not changed.records:
            await self._store.confirm(changed.lobby.lobby_id, changed.snapshot)

    async def change(
        self, lobby_id: str, decision: Decision, *, writes: Sequence[Write] = ()
    ) -> Changed | Refused:
        """Commit the events that `decision` makes for the lobby, with further writes; it may be
        called more than once.

        What this node knows may be outdated, so it serves for a change, which the commit checks,
        but never for a refusal.
        """
        async with self.hold(lobby_id):
            known = self._last_known(lobby_id)
            if known is not None:
                changed = await self.attempt(known, decision, writes=writes)
                if isinstance(changed, Changed) and changed.records:
                    return changed
            for _ in range(ATTEMPTS):
                stored = await self._store.load(lobby_id)
                changed = await self.attempt(stored, decision, writes=writes)
                if changed is not None:
                    return changed
        return Refused(ErrorCode.UNAVAILABLE)

    async def attempt(
        self,
        before: Snapshot,
        decision: Decision,
        *,
        checks: Iterable[Check] = (),
        writes: Iterable[Write] = (),
    ) -> Changed | Refused | None:
        """Decide once on `before` and commit, with further checks and writes; None if `before` is
        outdated, or a check failed."""
        if before.lobby is None:
            return Refused(ErrorCode.UNKNOWN_LOBBY)
        now_ms = before.time_ms(self._clock.now_ms())
        decided = decision(before.lobby, now_ms)
        if isinstance(decided, Refused):
            return decided
        if not decided:
            return Changed(before)
        return await self.commit(before, decided, now_ms, checks=checks, writes=writes)

    async def commit(
        self,
        before: Snapshot,
        events: Sequence[Event],
        now_ms: float,
        *,
        checks: Iterable[Check] = (),
        writes: Iterable[Write] = (),
    ) -> Changed | None:
        """Commit events that were decided on `before` at `now_ms`; None if it is outdated."""
        committed = await self._store.commit(
            before,
            events,
            now_ms,
            checks=checks,
            writes=writes,
            expect=self._replicas.expect,
        )
        if committed is None:
            if before.lobby is not None:
                self._changed.pop(before.lobby.lobby_id, None)
            return None
        after, records = committed
        changed = Changed(after, records, before.lobby)
        self._remember(changed)
        report(before, changed.lobby, records, self._metrics)
        self._replicas.committed(changed.lobby.lobby_id, after, records)
        self._alarms.due(lobby_table(changed.lobby.lobby_id), due_at(changed.lobby))
        return changed

    def _remember(self, changed: Changed) -> None:
        lobby_id = changed.lobby.lobby_id
        self._changed.pop(lobby_id, None)  # so that it comes last
        if changed.lobby.status != "finished":
            self._changed[lobby_id] = changed.snapshot
        if len(self._changed) > _REMEMBERED:
            self._changed.popitem(last=False)
