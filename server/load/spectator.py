"""A spectator: watches one game after the other to its end."""

import asyncio
import random
from typing import Any, Final

from protocol.ids import lobby_namespace
from server.load.context import WorkerContext
from server.load.participant import Participant
from server.load.room import RoomMeter

_NO_GAME_SECONDS: Final = 0.5
"""How long to wait for a game while there is none."""

_random: Final = random.SystemRandom()


class Spectator(Participant):
    """Watches games, chosen at random among those that players of this process are in."""

    def __init__(self, alien_id: str, context: WorkerContext) -> None:
        super().__init__(alien_id, context)
        self._lobby_id = ""
        self._room: RoomMeter | None = None

    async def _take_part(self) -> None:
        room = self._room = self._room or self._choose_room()
        if room is None:
            await asyncio.sleep(_NO_GAME_SECONDS)
            return
        token = await self._valid_token()
        connection = await self._connected()
        await connection.enter(lobby_namespace(self._lobby_id), room.auth(token), self._receive)
        while not room.is_over:
            await self._wait_until_woken(connection)
        self._forget_game()

    def _forget_game(self) -> None:
        self._context.games.end(self._lobby_id)
        self._room = None

    def _choose_room(self) -> RoomMeter | None:
        lobby_ids = self._context.games.lobby_ids
        if not lobby_ids:
            return None
        self._lobby_id = _random.choice(lobby_ids)
        return RoomMeter(self._context.meter, self._context.games.schedule(self._lobby_id))

    def _receive(self, name: str, message: dict[str, Any]) -> None:
        if self._room is not None:
            self._room.receive(name, message)
            if self._room.is_over:
                self._wake_up.set()
