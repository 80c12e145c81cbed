"""The door of `/lobbies`: what forms, and a seat in it."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, Final

from protocol.errors import ErrorCode, Refused
from protocol.from_client import FRONT_DESK_COMMANDS, Join, ListLobbies
from protocol.ids import FRONT_DESK
from protocol.to_client import JoinAnswer, ListAnswer, Lobbies, LobbyListed
from protocol.views import LobbyView
from server.rules.views import public_view
from server.services.board import Board
from server.services.seats import Seats
from server.transport.limits import RateByKey
from server.transport.member import Member, Welcome
from server.transport.parsing import parse_request
from server.transport.rooms import Rooms

LISTING_SECONDS: Final = 0.25
"""A lobby is listed at most once in so long, with what it is by then."""

Answer = Mapping[str, Any] | Refused


class Listing:
    """Pushes changes of forming lobbies to the front desk, the last one of each interval."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._waiting: dict[str, LobbyView | None] = {}

    def changed(self, view: LobbyView) -> None:
        """A lobby changed: push it now or, if it was just listed, at the end of the interval."""
        if view.lobby_id in self._waiting:
            self._waiting[view.lobby_id] = view
        else:
            self._push(view)

    def _push(self, view: LobbyView) -> None:
        listed = LobbyListed(lobby=view).model_dump_json().encode()
        self._rooms.broadcast(FRONT_DESK, "lobby_listed", listed)
        self._waiting[view.lobby_id] = None
        asyncio.get_running_loop().call_later(LISTING_SECONDS, self._interval_over, view.lobby_id)

    def _interval_over(self, lobby_id: str) -> None:
        view = self._waiting.pop(lobby_id)
        if view is not None:
            self._push(view)


class FrontDesk:
    """Lists the forming lobbies of `tiers` to everyone, and seats players as often as `joins` lets
    each of them try."""

    def __init__(
        self, board: Board, seats: Seats, tiers: Collection[int], joins: RateByKey
    ) -> None:
        self._board = board
        self._seats = seats
        self._tiers = tiers
        self._joins = joins
        self._visitors = 0
        self._opening = asyncio.Lock()

    async def admit(self, member: Member, _auth: Mapping[str, Any]) -> Welcome | Refused:
        """Everyone may enter. The welcome is the list of what forms."""
        async with self._opening:
            if self._visitors == 0:
                await self._board.open()
            self._visitors += 1
        return lambda: self._welcome(member)

    async def command(self, member: Member, name: str, payload: Any) -> Answer:
        """Carry out a command of the front desk."""
        model = FRONT_DESK_COMMANDS.get(name)
        if model is None:
            return Refused(ErrorCode.UNKNOWN_COMMAND)
        request = parse_request(model, payload, member.alien_id)
        match request:
            case Join():
                return await self._join(member, request)
            case ListLobbies():
                return self._list(request)
            case Refused():
                return request
        return Refused(ErrorCode.UNKNOWN_COMMAND)

    def left(self, _member: Member) -> None:
        """After the last visitor the board is closed."""
        self._visitors -= 1
        if self._visitors == 0:
            self._board.close()

    def _welcome(self, member: Member) -> None:
        lobbies = Lobbies(lobbies=self._board.forming())
        member.send("lobbies", lobbies.model_dump_json().encode())

    async def _join(self, member: Member, request: Join) -> Answer:
        if not self._joins.allow(member.alien_id):
            return Refused(ErrorCode.RATE_LIMITED)
        seated = await self._seats.join(
            member.alien_id, request.buy_in_amount, request.client_seed or ""
        )
        if isinstance(seated, Refused):
            return seated
        lobby = public_view(seated.lobby, seated.seq)
        return JoinAnswer(lobby=lobby, invoice=seated.invoice).model_dump()

    def _list(self, request: ListLobbies) -> Answer:
        if request.buy_in_amount not in (None, *self._tiers):
            return Refused(ErrorCode.UNKNOWN_TIER)
        return ListAnswer(lobbies=self._board.forming(request.buy_in_amount)).model_dump()
