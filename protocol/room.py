"""A lobby that a client has entered."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from protocol.channel import Channel, Failure
from protocol.connection import CommandRefused, ConnectionLost, understood
from protocol.ids import lobby_namespace
from protocol.room_events import LobbyState, RoomMessage, read_room_message
from protocol.to_client import (
    ArrangeGridAnswer,
    ClaimFalse,
    ClaimWon,
    PlayerEvent,
    PlayerKicked,
    SelectNumbersAnswer,
    StatusChanged,
)
from protocol.tokens import TokenSource, claims_of
from protocol.view import fold_event
from protocol.views import Grid, LobbyView, Numbers, Patterns, You

Event = RoomMessage | LobbyState

_END: Final = None


class Room:
    """A lobby as its player or a spectator sees it.

    To iterate over it gives each event once and in order, beginning with the LobbyState that it was
    entered in, until the game is over or the room is closed, through any number of broken
    connections. It raises CommandRefused when the server does not let the client back in, and
    Unreadable when it sends what is no message. Whoever stops, and iterates again, goes on where
    they stopped.

    `view` is the lobby after the last event that came, `patterns` what wins there, `you` one's own
    part of it. Every command raises CommandRefused or ConnectionLost.
    """

    view: LobbyView
    patterns: Patterns
    you: You

    def __init__(self, url: str, token: TokenSource, lobby_id: str, last_seq: int | None) -> None:
        self.lobby_id = lobby_id
        self._me: str | None = None
        self._last_seq = last_seq
        self._own_is_due = False
        self._finished = False
        self._events: asyncio.Queue[Event | Failure | None] = asyncio.Queue()
        self._channel = Channel(
            url,
            lobby_namespace(lobby_id),
            token,
            on_message=self._receive,
            came_back=self._ask_own,
            ended=self._finish,
            auth=self._auth,
        )

    @property
    def is_over(self) -> bool:
        """Whether no event comes after those that are there."""
        return self._finished

    async def select_numbers(self, numbers: Numbers) -> Numbers:
        """Choose the numbers of the ticket: those that are held now."""
        body = await self._channel.ask("select_numbers", numbers=numbers)
        return understood(SelectNumbersAnswer, body).numbers

    async def arrange_grid(self, grid: Grid) -> Grid:
        """Arrange the ticket, as rows: the grid that is held now."""
        body = await self._channel.ask("arrange_grid", grid=grid)
        return understood(ArrangeGridAnswer, body).grid

    async def claim(self) -> ClaimWon | ClaimFalse:
        """Say that a pattern is complete. If it is not, the player is out."""
        body = await self._channel.ask("claim")
        if body.get("valid"):
            return understood(ClaimWon, body)
        return understood(ClaimFalse, body)

    async def leave(self) -> None:
        """Give the seat up."""
        await self._channel.ask("leave")

    async def sync(self) -> LobbyState:
        """The whole state as it is now; `view` does not change by it."""
        return understood(LobbyState, (await self._channel.ask("sync")).get("state"))

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            event = await self._events.get()
            if event is _END or isinstance(event, Exception):
                self._events.put_nowait(_END)  # for the next who iterates
                if event is _END:
                    return
                raise event
            yield event

    async def open(self) -> None:
        """Go in: `view` and `you` are known then. Raises CommandRefused or ConnectionLost."""
        self._me = claims_of(await self._channel.new_token()).get("sub")
        await self._channel.open()
        try:
            self._take(await self.sync())
        except BaseException:
            await self._channel.close()
            raise
        self._channel.listen()

    async def close(self) -> None:
        """Leave the room, not the seat; iterating ends."""
        await self._channel.close()

    def _auth(self) -> Mapping[str, Any]:
        return {} if self._last_seq is None else {"last_seq": self._last_seq}

    async def _receive(self, name: str, message: dict[str, Any]) -> bool:
        event: Event
        if name == "lobby_state":
            event = understood(LobbyState, message)
            self._take(event)
        elif isinstance(message.get("seq"), int):
            event = read_room_message(name, message)
            if self._last_seq is not None and event.seq <= self._last_seq:
                return True  # it came before
            if event.seq != (self.view.seq if self._last_seq is None else self._last_seq) + 1:
                return False
            if event.seq > self.view.seq:
                self.view = fold_event(self.view, event)
                self._own_is_due = self._own_is_due or self._may_be_own(event)
        else:
            return True
        if self._own_is_due:
            await self._ask_own()
        if event.seq != self._last_seq:  # the same state again is about one's own part only
            self._last_seq = event.seq
            self._events.put_nowait(event)
        if self.view.status == "finished" and self._last_seq >= self.view.seq:
            self._finish(_END)
        return True

    def _finish(self, how: Failure | None) -> None:
        """Nothing comes after this."""
        if not self._finished:
            self._finished = True
            self._events.put_nowait(how)

    def _may_be_own(self, event: RoomMessage) -> bool:
        """Whether an event may stand for a change of one's own part, which is in no event."""
        match event:
            case PlayerEvent(alien_id=alien_id) | PlayerKicked(alien_id=alien_id):
                return alien_id == self._me
            case StatusChanged():
                return self.you.role == "player"
        return False

    async def _ask_own(self) -> None:
        """Ask for one's own part; if there is no answer now, at the next message or connection."""
        self._own_is_due = True
        try:
            body = await self._channel.ask_once("sync", last_seq=self._last_seq)
            if "events" in body and "you" not in body:  # of a server of the version before
                body = await self._channel.ask_once("sync")
        except (CommandRefused, ConnectionLost) as error:
            if not error.retry:
                raise
            return
        if "you" in body:
            self.you = understood(You, body["you"])
        else:
            self.you = understood(LobbyState, body.get("state")).you
        self._own_is_due = False

    def _take(self, state: LobbyState) -> None:
        self.view = LobbyView.model_construct(
            **{name: getattr(state, name) for name in LobbyView.model_fields}
        )
        self.patterns = state.patterns
        self.you = state.you
