"""A client of the game: the front desk, the rooms of lobbies, and the check of a proof.

    desk = await connect(url="https://...", token=token)
    joined = await desk.join(3500, client_seed="my luck")
    room = await desk.enter(joined.lobby.lobby_id)
    async for event in room:
        if event.event == "number_called":
            print(event.index, event.number)
    await desk.close()

`connect` and `enter` may be used with `async with` as well.
"""

from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from types import MappingProxyType, TracebackType
from typing import Any, Protocol, TypeVar

from protocol.channel import Channel, Failure
from protocol.connection import CommandRefused, ConnectionLost, Unreadable, understood
from protocol.ids import FRONT_DESK
from protocol.room import Event, Room
from protocol.to_client import JoinAnswer, ListAnswer, Lobbies, LobbyListed
from protocol.tokens import TokenSource
from protocol.views import LobbyView, Proof
from server.rules.beacon import QUICKNET_KEY
from server.rules.verify import verify_proof

__all__ = [
    "CommandRefused",
    "ConnectionLost",
    "Desk",
    "Event",
    "Room",
    "Unreadable",
    "connect",
    "enter_lobby",
    "verify",
]


class _Closes(Protocol):
    async def close(self) -> None: ...


C = TypeVar("C", bound=_Closes)


class Opening(AbstractAsyncContextManager[C]):
    """What `await` opens, and `async with` also closes."""

    def __init__(self, open_it: Callable[[], Awaitable[C]]) -> None:
        self._open = open_it

    def __await__(self) -> Generator[Any, None, C]:
        return self._open().__await__()

    async def __aenter__(self) -> C:
        self._opened = await self
        return self._opened

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        await self._opened.close()


class Desk:
    """The front desk. It comes back by itself when its connection breaks. Every command raises
    CommandRefused or ConnectionLost."""

    def __init__(self, url: str, token: TokenSource) -> None:
        self._url = url
        self._token = token
        self._lobbies: dict[str, LobbyView] = {}
        self._rooms: list[Room] = []
        self._closed = False
        self._channel = Channel(
            url,
            FRONT_DESK,
            token,
            on_message=self._receive,
            came_back=_nothing,
            ended=self._ended,
            auth=dict,
        )

    @property
    def lobbies(self) -> Sequence[LobbyView]:
        """The forming lobbies as they are now, oldest first."""
        return sorted(self._lobbies.values(), key=lambda lobby: lobby.created_at)

    async def join(self, buy_in_amount: int, *, client_seed: str = "") -> JoinAnswer:
        """Take a seat in a tier: the lobby it is in, and what to pay for it."""
        body = await self._channel.ask("join", buy_in_amount=buy_in_amount, client_seed=client_seed)
        return understood(JoinAnswer, body)

    async def list(self, buy_in_amount: int | None = None) -> Sequence[LobbyView]:
        """The forming lobbies as the server answers now, oldest first; of one tier if it is
        named."""
        body = await self._channel.ask("list", buy_in_amount=buy_in_amount)
        return understood(ListAnswer, body).lobbies

    def enter(self, lobby_id: str) -> Opening[Room]:
        """Go into a lobby, to play there or to watch, on a connection of its own. Other rooms whose
        game is over are closed. Raises CommandRefused or ConnectionLost."""

        async def enter() -> Room:
            if self._closed:
                raise ConnectionLost("the desk was closed")
            await self._close_rooms_that_are_over()
            room = await enter_lobby(self._url, self._token, lobby_id)
            self._rooms.append(room)
            return room

        return Opening(enter)

    async def open(self) -> None:
        """Connect: `lobbies` is known then. Raises CommandRefused or ConnectionLost."""
        await self._channel.open()
        try:
            self._take(await self.list())
        except BaseException:
            await self._channel.close()
            raise
        self._channel.listen()

    async def close(self) -> None:
        """End the connection, and close every room that was entered from here."""
        self._closed = True
        for room in self._rooms:
            await room.close()
        await self._channel.close()

    async def _close_rooms_that_are_over(self) -> None:
        """A player has so many connections only, and none is needed where nothing comes."""
        over = [room for room in self._rooms if room.is_over]
        self._rooms = [room for room in self._rooms if not room.is_over]
        for room in over:
            await room.close()

    async def _receive(self, name: str, message: dict[str, Any]) -> bool:
        if name == "lobbies":
            self._take(understood(Lobbies, message).lobbies)
        elif name == "lobby_listed":
            lobby = understood(LobbyListed, message).lobby
            if lobby.status == "forming":
                self._lobbies[lobby.lobby_id] = lobby
            else:
                self._lobbies.pop(lobby.lobby_id, None)
        return True

    def _take(self, lobbies: Sequence[LobbyView]) -> None:
        self._lobbies = {lobby.lobby_id: lobby for lobby in lobbies}

    def _ended(self, _failure: Failure | None) -> None:
        """There is nothing to do: each later command raises."""


async def _nothing() -> None:
    """Nothing was missed: the whole list comes first."""


def connect(url: str, token: TokenSource) -> Opening[Desk]:
    """The front desk of the server at `url`. `token` as a function is asked for a new one before
    the last one expires. Raises CommandRefused or ConnectionLost."""

    async def come() -> Desk:
        desk = Desk(url, token)
        await desk.open()
        return desk

    return Opening(come)


def enter_lobby(
    url: str, token: TokenSource, lobby_id: str, last_seq: int | None = None
) -> Opening[Room]:
    """A lobby of the server at `url`, without its front desk; events begin after `last_seq` or,
    without it, with a LobbyState. Raises CommandRefused or ConnectionLost."""

    async def enter() -> Room:
        room = Room(url, token, lobby_id, last_seq)
        await room.open()
        return room

    return Opening(enter)


def verify(proof: object, keys: Mapping[str, str] = MappingProxyType({})) -> bool:
    """Whether a proof, as it was received or as JSON values, holds by itself: the draw was fixed
    before anyone had paid. It is false of whatever is no proof, or one of a variant that is not
    known. A beacon in it is checked under quicknet's public key, or that of `keys`, by the hash of
    its chain (both hex)."""
    document = proof.model_dump(mode="json") if isinstance(proof, Proof) else proof
    return not verify_proof(document, {**QUICKNET_KEY, **keys})
