"""The handler of `/lobbies`: what forms, and a seat in it."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import orjson

from protocol.errors import ErrorCode, Refused
from protocol.from_client import Join, ListLobbies, RefreshToken
from protocol.ids import FRONT_DESK
from protocol.to_client import Payout
from server.rules.views import Fields, public_fields
from server.services.forming_lobbies import FormingLobbies
from server.services.payout_news import PayoutNews
from server.services.seats import Seats
from server.transport.commands import Answer, Command
from server.transport.frames import text_frame
from server.transport.member import Member, Welcome
from server.transport.packets import event_packet
from server.transport.rooms import Rooms
from server.transport.tokens import Tokens

LISTING_SECONDS: Final = 0.25
"""Lobbies are listed at most once in so long, with what they are by then."""
_PAUSE_SECONDS_A_VISITOR: Final = 0.0001
"""A write takes some 5 us: so a crowd of any size costs a twentieth of the time at most. Else with
everyone who waits for a seat all the others would wait longer."""
_PAUSE_SECONDS_A_LOBBY: Final = 0.0002
"""To list one takes some 8 us."""


class LobbyListBroadcaster:
    """Pushes changes of forming lobbies to the front desk, the last one of each
    `listing_seconds`, all in one write to each visitor."""

    def __init__(self, rooms: Rooms, listing_seconds: float) -> None:
        self._rooms = rooms
        self._listing_seconds = listing_seconds
        self._changed: dict[str, Fields] = {}
        self._pause: asyncio.TimerHandle | None = None
        self._welcome: bytes | None = None
        self._welcome_at_s = 0.0

    def welcome(self, forming: FormingLobbies, visitors: int) -> bytes:
        """The frame with the forming lobbies. With many lobbies, or in a crowd of so many visitors,
        it may be a little old: written anew for each of thousands, it would fill the memory. What
        has changed since is pushed next."""
        now_s = asyncio.get_running_loop().time()
        pause_seconds = visitors * _PAUSE_SECONDS_A_VISITOR + forming.size * _PAUSE_SECONDS_A_LOBBY
        is_old = now_s - self._welcome_at_s > pause_seconds
        if self._welcome is None or (self._changed and is_old):
            data_json = b'{"lobbies":%b}' % forming.forming_json()  # as `Lobbies` has it
            self._welcome = text_frame(event_packet(FRONT_DESK, "lobbies", data_json))
            self._welcome_at_s = now_s
        return self._welcome

    def forget(self) -> None:
        """Nobody is there any more, and the forming is not kept."""
        self._welcome = None
        self._changed.clear()

    def start_over(self, forming: FormingLobbies) -> None:
        """What was listed before no longer holds: send everyone what forms, and push no change
        of before."""
        self.forget()
        visitors = self._rooms.members(FRONT_DESK)
        for visitor in visitors:
            visitor.session.write(self.welcome(forming, len(visitors)))

    def changed(self, view: Fields) -> None:
        """A lobby changed: push it now or, if something was just listed, when that is over."""
        self._changed[view["lobby_id"]] = view
        if self._pause is None:
            self._push()

    def _push(self) -> None:
        self._welcome = None
        visitors = self._rooms.members(FRONT_DESK)
        frames = b"".join(map(_listed, self._changed.values()))
        self._changed.clear()
        for visitor in visitors:
            visitor.session.write(frames)
        seconds = max(self._listing_seconds, len(visitors) * _PAUSE_SECONDS_A_VISITOR)
        self._pause = asyncio.get_running_loop().call_later(seconds, self._pause_is_over)

    def _pause_is_over(self) -> None:
        self._pause = None
        if self._changed:
            self._push()


def _listed(view: Fields) -> bytes:
    data_json = orjson.dumps({"lobby": view})  # as `LobbyListed` has it
    return text_frame(event_packet(FRONT_DESK, "lobby_listed", data_json))


class FrontDesk:
    """Lists the forming lobbies of `tiers` to everyone, and seats players."""

    def __init__(
        self,
        forming: FormingLobbies,
        listing: LobbyListBroadcaster,
        seats: Seats,
        tokens: Tokens,
        tiers: Collection[int],
        payouts: Callable[[Callable[[str, Payout], None]], PayoutNews],
    ) -> None:
        self.commands: Mapping[str, Command[Member, Any, Answer]] = {
            "join": Command(Join, self._join),
            "list": Command(ListLobbies, self._list),
            "refresh_token": Command(RefreshToken, tokens.refresh, urgent=True),
        }
        self._forming = forming
        self._listing = listing
        self._seats = seats
        self._tiers = tiers
        self._payouts = payouts(self._notify_payout)
        self._by_player: dict[str, set[Member]] = {}
        self._visitors = 0
        self._opening = asyncio.Lock()

    async def admit(self, member: Member, _auth: Mapping[str, Any]) -> Welcome | Refused:
        """Everyone may enter. The welcome is the list of what forms."""
        async with self._opening:
            if self._visitors == 0:
                await self._forming.open()
                await self._payouts.open()
            self._visitors += 1
        self._by_player.setdefault(member.alien_id, set()).add(member)
        return lambda: self._welcome(member)

    def left(self, member: Member) -> None:
        """After the last visitor the forming is closed."""
        theirs = self._by_player.get(member.alien_id, set())
        theirs.discard(member)
        if not theirs:
            self._by_player.pop(member.alien_id, None)
        self._visitors -= 1
        if self._visitors == 0:
            self._forming.close()
            self._payouts.close()
            self._listing.forget()

    def tables_found(self) -> None:
        """There are more tables than before."""
        self._payouts.tables_found()

    def _notify_payout(self, alien_id: str, payout: Payout) -> None:
        data_json = orjson.dumps(payout.model_dump())
        for member in self._by_player.get(alien_id, ()):
            member.send("payout", data_json)

    def _welcome(self, member: Member) -> None:
        member.session.write(self._listing.welcome(self._forming, self._visitors))

    async def _join(self, member: Member, request: Join) -> Answer | Refused:
        seated = await self._seats.join(
            member.alien_id, request.buy_in_amount, request.client_seed or ""
        )
        if isinstance(seated, Refused):
            return seated
        lobby = public_fields(seated.lobby, seated.seq)  # as `JoinAnswer` has it
        return {"ok": True, "lobby": lobby, "invoice": seated.invoice.model_dump()}

    async def _list(self, _member: Member, request: ListLobbies) -> Answer | Refused:
        if request.buy_in_amount not in (None, *self._tiers):
            return Refused(ErrorCode.UNKNOWN_TIER)
        await self._forming.settle()
        forming = self._forming.forming(request.buy_in_amount)  # as `ListAnswer` has them
        return {"ok": True, "lobbies": forming}
