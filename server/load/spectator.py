"""A spectator: watches one game after the other."""

import asyncio
import random
from typing import Any, Final

from protocol.ids import lobby_namespace
from server.load.kit import Kit
from server.load.participant import Participant
from server.load.room import Room

_LOOK_AGAIN_SECONDS: Final = 0.5

_chance: Final = random.SystemRandom()


class Spectator(Participant):
    """Watches games that players of this process are in."""

    def __init__(self, alien_id: str, kit: Kit) -> None:
        super().__init__(alien_id, kit)
        self._lobby_id = ""
        self._room: Room | None = None

    async def _take_part(self) -> None:
        room = self._room = self._room or self._choose()
        if room is None:
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
            return
        token = await self._identify()
        line = await self._connected()
        await line.enter(lobby_namespace(self._lobby_id), room.auth(token), self._hear)
        while not room.is_over:
            await self._wait_for_news(line)
        self._give_up()

    def _give_up(self) -> None:
        self._kit.games.end(self._lobby_id)
        self._room = None

    def _choose(self) -> Room | None:
        lobby_ids = self._kit.games.lobby_ids
        if not lobby_ids:
            return None
        self._lobby_id = _chance.choice(lobby_ids)
        return Room(self._kit.meter, self._kit.games.pace(self._lobby_id))

    def _hear(self, name: str, message: dict[str, Any]) -> None:
        if self._room is not None:
            self._room.hear(name, message)
            if self._room.is_over:
                self._news.set()
