"""A client of the game: the front desk, and a lobby with the client's view of it."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from protocol.backoff import Backoff
from protocol.connection import CommandRefused, Connection, ConnectionLost
from protocol.ids import FRONT_DESK, lobby_namespace
from protocol.reading import read
from protocol.to_client import (
    ROOM_EVENTS,
    ArrangeGridAnswer,
    ClaimFalse,
    ClaimWon,
    JoinAnswer,
    ListAnswer,
    Lobbies,
    LobbyListed,
    LobbyState,
    PlayerEvent,
    PlayerKicked,
    RefreshTokenAnswer,
    SelectNumbersAnswer,
    StatusChanged,
    SyncState,
)
from protocol.view import RoomMessage, fold_event, read_room_message
from protocol.views import Grid, LobbyView, Numbers, Patterns, You

RECONNECT_ATTEMPTS: Final = 12
"""In about 40 s."""
MOST_RETRY_AFTER_SECONDS: Final = 60.0


class FrontDesk:
    """A connection to the front desk. Every command raises CommandRefused or ConnectionLost."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def join(self, buy_in_amount: int, client_seed: str = "") -> JoinAnswer:
        """Take a seat in a tier: the lobby it is in, and what to pay for it."""
        body = await self._connection.ask(
            "join", buy_in_amount=buy_in_amount, client_seed=client_seed
        )
        return read(JoinAnswer, body)

    async def list(self, buy_in_amount: int | None = None) -> Sequence[LobbyView]:
        """The forming lobbies, oldest first; of one tier if it is named."""
        body = await self._connection.ask("list", buy_in_amount=buy_in_amount)
        return read(ListAnswer, body).lobbies

    async def updates(self) -> AsyncIterator[LobbyView]:
        """The lobbies that formed when the connection was made, and then each one that changes or
        stops forming, until the connection ends."""
        async for name, message in self._connection.messages():
            if name == "lobbies":
                for lobby in read(Lobbies, message).lobbies:
                    yield lobby
            elif name == "lobby_listed":
                yield read(LobbyListed, message).lobby

    async def refresh_token(self, token: str) -> float:
        """Let the connection live as long as `token`: until when (Unix ms)."""
        body = await self._connection.ask("refresh_token", token=token)
        return read(RefreshTokenAnswer, body).expires_at


class LobbyClient:
    """A connection to a lobby. Every command raises CommandRefused or ConnectionLost.

    `view` is the lobby after the last event that was taken from `events`, `patterns` what wins
    there, `you` one's own part of it as the server last told it: `events` asks for it after
    each reconnect and after whatever may have changed it, for it is in no event, and the answer to
    a command may be lost or another's.
    """

    view: LobbyView
    patterns: Patterns
    you: You

    def __init__(self, url: str, token: str, lobby_id: str, last_seq: int | None) -> None:
        self._url = url
        self._token = token
        self._namespace = lobby_namespace(lobby_id)
        self._heard_seq = last_seq
        self._closed = False
        self._own_is_due = False
        self._retry_after_seconds: float | None = None

    async def select_numbers(self, numbers: Numbers) -> Numbers:
        """Choose the numbers of the ticket: those that are held now."""
        body = await self._connection.ask("select_numbers", numbers=numbers)
        return read(SelectNumbersAnswer, body).numbers

    async def arrange_grid(self, grid: Grid) -> Grid:
        """Arrange the ticket, as rows: the grid that is held now."""
        body = await self._connection.ask("arrange_grid", grid=grid)
        return read(ArrangeGridAnswer, body).grid

    async def claim(self) -> ClaimWon | ClaimFalse:
        """Say that a pattern is complete. If it is not, the player is out."""
        body = await self._connection.ask("claim")
        return read(ClaimWon, body) if body["valid"] else read(ClaimFalse, body)

    async def leave(self) -> None:
        """Give the seat up."""
        await self._connection.ask("leave")

    async def sync(self) -> LobbyState:
        """The whole state as it is now; `view` and `events` do not change by it."""
        return read(SyncState, await self._connection.ask("sync")).state

    async def refresh_token(self, token: str) -> float:
        """Let the connection live as long as `token`: until when (Unix ms)."""
        body = await self._connection.ask("refresh_token", token=token)
        self._token = token
        return read(RefreshTokenAnswer, body).expires_at

    async def events(self) -> AsyncIterator[RoomMessage | LobbyState]:
        """What happens, each event once and in order, until the lobby is finished. A LobbyState
        stands for everything up to it.

        A connection that breaks is made again, and what was missed follows. Raises CommandRefused
        when the server does not let the client back in, ConnectionLost when it stays away.
        """
        while not self._over:
            async for name, message in self._connection.messages():
                heard = self._hear(name, message)
                if self._own_is_due:
                    await self._ask_own()
                if heard is not None:
                    yield heard
                if self._over:
                    return
            if self._closed:
                return
            await self._reconnect()
            await self._ask_own()

    async def close(self) -> None:
        """End the connection, and `events` with it."""
        self._closed = True
        await self._connection.close()

    async def connect(self) -> None:
        """Connect for the first time, and take `view` and `you` from the server."""
        self._connection = await self._open_connection()
        try:
            self._take_state(await self.sync())
        except BaseException:
            await self._connection.close()
            raise

    @property
    def _over(self) -> bool:
        """Whether nothing more can come."""
        heard = self._heard_seq
        return self.view.status == "finished" and heard is not None and heard >= self.view.seq

    def _hear(self, name: str, message: dict[str, Any]) -> RoomMessage | LobbyState | None:
        heard: RoomMessage | LobbyState
        if name in ROOM_EVENTS:
            heard = read_room_message(name, message)
            if heard.seq > self.view.seq:
                self.view = fold_event(self.view, heard)
                self._own_is_due = self._own_is_due or self._may_be_own(heard)
        elif name == "lobby_state":
            heard = read(LobbyState, message)
            self._take_state(heard)
        else:
            if name == "draining":  # the connection ends, and is made again
                self._retry_after_seconds = message["retry_after_ms"] / 1000
            self._pass(message)
            return None
        self._heard_seq = heard.seq
        return heard

    def _pass(self, message: Mapping[str, Any]) -> None:
        """Count an event of the room that only a newer server knows: the next follows on it."""
        seq = message.get("seq")
        if isinstance(seq, int):
            self.view = self.view.model_copy(update={"seq": max(self.view.seq, seq)})
            self._heard_seq = seq

    def _may_be_own(self, heard: RoomMessage) -> bool:
        """Whether an event may stand for a change of one's own part."""
        match heard.event:
            case PlayerEvent(alien_id=alien_id) | PlayerKicked(alien_id=alien_id):
                return alien_id == _subject(self._token)
            case StatusChanged():
                return self.you.role == "player"
        return False

    async def _ask_own(self) -> None:
        """Ask for one's own part; if there is no answer now, at the next message or connection."""
        self._own_is_due = True
        try:
            body = await self._connection.ask("sync", last_seq=self._heard_seq)
            if "events" in body and "you" not in body:  # of a server of the version before
                body = await self._connection.ask("sync")
        except ConnectionLost:
            return
        except CommandRefused as refused:
            if not refused.retry:
                raise
            return
        own = body["you"] if "you" in body else body["state"]["you"]
        self.you = read(You, own)
        self._own_is_due = False

    def _take_state(self, state: LobbyState) -> None:
        self.view = LobbyView.model_construct(
            **{name: getattr(state, name) for name in LobbyView.model_fields}
        )
        self.patterns = state.patterns
        self.you = state.you

    async def _open_connection(self) -> Connection:
        auth: dict[str, Any] = {"token": self._token}
        if self._heard_seq is not None:
            auth["last_seq"] = self._heard_seq
        return await Connection.open(self._url, self._namespace, auth)

    async def _reconnect(self) -> None:
        await self._connection.close()
        backoff = Backoff()
        for _ in range(RECONNECT_ATTEMPTS):
            await asyncio.sleep(self._wait_seconds(backoff))
            try:
                self._connection = await self._open_connection()
            except ConnectionLost:
                continue
            except CommandRefused as refused:
                if not refused.retry:
                    raise
            else:
                return
        raise ConnectionLost(f"{self._url} stays away")

    def _wait_seconds(self, backoff: Backoff) -> float:
        """How long to wait before the next attempt: what the server said, once, if it did."""
        said_seconds, self._retry_after_seconds = self._retry_after_seconds, None
        if said_seconds is None:
            return backoff.next_seconds()
        return min(max(said_seconds, 0.0), MOST_RETRY_AFTER_SECONDS)


def _subject(token: str) -> str | None:
    """The player of a token, as it says itself; the server is the one that checks it."""
    payload = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        found = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        return None
    return found.get("sub") if isinstance(found, dict) else None


@asynccontextmanager
async def connect_front_desk(url: str, token: str) -> AsyncIterator[FrontDesk]:
    """The front desk of the server at `url`, as the player of `token`. Raises CommandRefused or
    ConnectionLost."""
    connection = await Connection.open(url, FRONT_DESK, {"token": token})
    try:
        yield FrontDesk(connection)
    finally:
        await connection.close()


@asynccontextmanager
async def enter_lobby(
    url: str, token: str, lobby_id: str, last_seq: int | None = None
) -> AsyncIterator[LobbyClient]:
    """A lobby of the server at `url`, as the player of `token`; `events` begin after `last_seq`
    or, without it, with a LobbyState. Raises CommandRefused or ConnectionLost."""
    lobby = LobbyClient(url, token, lobby_id, last_seq)
    await lobby.connect()
    try:
        yield lobby
    finally:
        await lobby.close()
