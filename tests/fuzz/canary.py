"""The player who must notice nothing of what is done to the server."""

import asyncio
import math
import time
from contextlib import AsyncExitStack

from server.transport.limits import PING_INTERVAL_SECONDS
from tests.support.wait import until
from tests.system.game_server import GameServer
from tests.system.visitor import Visitor

CANARY_BUY_IN = 17500
"""The tier of the canary's games; whoever disturbs must stay out of it."""

_BEAT_SECONDS = 0.5
_AFTERWARDS_SECONDS = 60.0
"""So long after its process stood still, being cut off may still come of that."""


class Canary:
    """Watches a game in which nobody claims, and a new one whenever that is over. It lives in the
    process that makes up the nonsense: where that takes so long that no ping is answered in time,
    the server is right to cut it off."""

    def __init__(self, game: GameServer) -> None:
        self._game = game
        self._stack = AsyncExitStack()
        self._visitor: Visitor | None = None
        self._stood_still_at_s = -math.inf
        self.lobby_id = ""

    async def sit_down(self) -> None:
        """Begin a new game and watch it until the next one."""
        await self.leave()
        names = ("alice", "bob")
        self.lobby_id = await self._game.seat(*names, buy_in_amount=CANARY_BUY_IN)
        await self._game.arrange(self.lobby_id, *names)
        beat = asyncio.create_task(self._beat())
        self._stack.callback(beat.cancel)
        visitor = await self._stack.enter_async_context(self._game.visitor("alice"))
        self._visitor = await visitor.enter(self.lobby_id, last_seq=0)

    async def leave(self) -> None:
        """Stop watching. Raises AssertionError if anything that was received was not as
        promised."""
        self._visitor = None
        await self._stack.aclose()

    async def receives_more(self) -> None:
        """Return when it has received one more event of the room, or can receive none; raises
        AssertionError if it was disturbed."""
        received = len(self._watching.seqs)
        await until(lambda: len(self._watching.seqs) > received or self._is_at_an_end)
        await self.is_undisturbed()

    async def is_undisturbed(self) -> None:
        """Raises AssertionError if it was cut off though it could answer, or if anything was lost
        or doubled. It sits down anew if it can receive nothing more."""
        visitor = self._watching
        assert visitor.connected or self._stood_still, "the canary was cut off"
        assert visitor.seqs == list(range(1, len(visitor.seqs) + 1))
        if self._is_at_an_end:
            await self.sit_down()

    @property
    def _is_at_an_end(self) -> bool:
        """Whether nothing more can be received: the game is over, or the connection."""
        return bool(self._watching.of("game_finished")) or not self._watching.connected

    @property
    def _stood_still(self) -> bool:
        return time.monotonic() - self._stood_still_at_s < _AFTERWARDS_SECONDS

    async def _beat(self) -> None:
        while True:
            began_s = time.monotonic()
            await asyncio.sleep(_BEAT_SECONDS)
            if time.monotonic() - began_s > PING_INTERVAL_SECONDS:
                self._stood_still_at_s = time.monotonic()

    @property
    def _watching(self) -> Visitor:
        assert self._visitor is not None, "there is no game yet"
        return self._visitor
