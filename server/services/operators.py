"""What operators do: one service, whether they come by the page, over HTTP or by the command line.

Restrictions are orders (`operator_orders`), announcements stand in their master (`announcements`).
What is done to a lobby is in its table's outbox by the same commit, and from there in the log.
"""

import os
from collections.abc import Collection, Mapping
from typing import Any, Final, assert_never

import orjson
import structlog

from protocol import ids, operators
from protocol.errors import ErrorCode, Refused
from protocol.to_client import Announcement
from server.rules.commands import Command, Kick, Void
from server.rules.decide import decide
from server.rules.operator_chain import Action
from server.runtime.clock import StoreClock
from server.services.announcements import announcement_field, ended_announcements
from server.services.lobbies import Lobbies
from server.services.operator_orders import RestrictionOrders
from server.services.past import Past
from server.store.errors import StoreUnavailable
from server.store.operator_log import OperatorLog, outbox_write
from server.store.restrictions import Restrictions, ban_field, closed_field
from server.store.tables import Tables

_ATTEMPTS: Final = 100

log = structlog.get_logger(__name__)


class Operators:
    """Carries out actions. `offered`: the buy-ins that this process's settings name; `past`: what
    has left the store, None without books."""

    def __init__(
        self,
        lobbies: Lobbies,
        operator_log: OperatorLog,
        restrictions: Restrictions,
        tables: Tables,
        clock: StoreClock,
        offered: Collection[int],
        past: Past | None = None,
    ) -> None:
        self._past = past
        self._lobbies = lobbies
        self._log = operator_log
        self._restrictions = restrictions
        self._orders = RestrictionOrders(operator_log, restrictions, tables, clock)
        self._tables = tables
        self._clock = clock
        self._offered = offered

    async def carry_out(self, by: str, request: operators.ActionRequest) -> bool | Refused:
        """Do what the operator named `by` asks for: whether there was anything to do, or why it is
        refused. When this returns True, it holds on all servers and is in the log, or about to be.

        Raises StoreUnavailable when it is not known whether it was done; it may be asked for again.
        """
        done = await self._act(by, request)
        if not isinstance(done, Refused):
            kind = type(request).__name__
            log.info("operator_action", operator=by, request=kind, changed=done)
        return done

    async def _act(self, by: str, request: operators.ActionRequest) -> bool | Refused:
        match request:
            case operators.VoidLobby():
                return await self._void(by, request)
            case operators.KickPlayer():
                return await self._kick(by, request)
            case operators.BanPlayer():
                return await self._ban(by, request)
            case operators.UnbanPlayer():
                return await self._unban(by, request)
            case operators.CloseTier():
                return await self._close(by, request)
            case operators.OpenTier():
                return await self._open(by, request)
            case operators.Announce():
                return await self._announce(by, request)
        assert_never(request)

    # At lobbies

    async def _void(self, by: str, request: operators.VoidLobby) -> bool | Refused:
        action = self._action(by, "void", request.lobby_id, request.reason)
        return await self._at_lobby(request.lobby_id, Void(), action)

    async def _kick(self, by: str, request: operators.KickPlayer) -> bool | Refused:
        details = {"lobby_id": request.lobby_id}
        action = self._action(by, "kick", request.alien_id, request.reason, details)
        return await self._at_lobby(request.lobby_id, Kick(request.alien_id), action)

    async def _at_lobby(self, lobby_id: str, command: Command, action: Action) -> bool | Refused:
        if not ids.is_lobby_id(lobby_id):
            return Refused(ErrorCode.UNKNOWN_LOBBY)
        table = ids.lobby_table(lobby_id)
        changed = await self._lobbies.change(
            lobby_id,
            lambda lobby, now_ms: decide(lobby, command, now_ms),
            writes=[outbox_write(table, os.urandom(8).hex(), action)],
        )
        if changed == Refused(ErrorCode.UNKNOWN_LOBBY) and await self._has_moved(lobby_id):
            return Refused(ErrorCode.WRONG_STATUS, {"status": "finished"})
        if isinstance(changed, Refused):
            return changed
        try:
            await self._log.empty_outbox(table)
        except StoreUnavailable as error:  # it is done; any server writes it down later
            log.warning("operator_action_not_in_log_yet", error=str(error))
        return True

    async def _has_moved(self, lobby_id: str) -> bool:
        """Whether a lobby is over for so long that only the books have it."""
        return self._past is not None and await self._past.ended(lobby_id) is not None

    # Restrictions

    async def _ban(self, by: str, request: operators.BanPlayer) -> bool | Refused:
        if self._is_past(request.until):
            return Refused(ErrorCode.INVALID_MESSAGE)
        details = {"until": request.until}
        action = self._action(by, "ban", request.alien_id, request.reason, details)
        value = orjson.dumps(request.until).decode()
        return await self._orders.give(action, ban_field(request.alien_id), value)

    async def _unban(self, by: str, request: operators.UnbanPlayer) -> bool | Refused:
        action = self._action(by, "unban", request.alien_id, request.reason)
        return await self._orders.give(action, ban_field(request.alien_id), None)

    async def _close(self, by: str, request: operators.CloseTier) -> bool | Refused:
        return await self._tier(by, "close", request.buy_in_amount, request.reason, "1")

    async def _open(self, by: str, request: operators.OpenTier) -> bool | Refused:
        return await self._tier(by, "open", request.buy_in_amount, request.reason, None)

    async def _tier(
        self, by: str, name: str, buy_in_amount: int, reason: str, value: str | None
    ) -> bool | Refused:
        await self._tables.read()
        if buy_in_amount not in self._offered and not self._tables.of_tier(buy_in_amount):
            return Refused(ErrorCode.UNKNOWN_TIER)
        action = self._action(by, name, str(buy_in_amount), reason)
        return await self._orders.give(action, closed_field(buy_in_amount), value)

    # To everybody

    async def _announce(self, by: str, request: operators.Announce) -> bool | Refused:
        if self._is_past(request.until):
            return Refused(ErrorCode.INVALID_MESSAGE)
        details = {"level": request.level, "until": request.until}
        action = self._action(by, "announce", request.text, request.reason, details)
        announced: dict[str, str | None] = {}
        if request.until is not None:
            announcement = Announcement(text=request.text, level=request.level, until=request.until)
            announced[announcement_field(request.text)] = announcement.model_dump_json()
        for _ in range(_ATTEMPTS):
            head = await self._log.head()
            if await self._log.append(head, action, {**await self._ended(), **announced}):
                return True
        raise StoreUnavailable("the operators' log kept changing")

    async def _ended(self) -> dict[str, str | None]:
        """Announcements whose end is past: they go with the next one."""
        master = await self._restrictions.master()
        return dict.fromkeys(ended_announcements(master, self._clock.now_ms()))

    def _action(
        self,
        by: str,
        action: str,
        target: str,
        reason: str,
        details: Mapping[str, Any] | None = None,
    ) -> Action:
        return Action(
            operator=by,
            action=action,
            target=target,
            reason=reason,
            at=int(self._clock.now_ms()),
            details=details,
        )

    def _is_past(self, until: int | None) -> bool:
        return until is not None and until <= self._clock.now_ms()
