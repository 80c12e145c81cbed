"""The player who must notice nothing of what is done to the server."""

from contextlib import AsyncExitStack

from tests.support.wait import until
from tests.system.game_server import GameServer
from tests.system.visitor import Visitor

CANARY_BUY_IN = 17500
"""The tier of the canary's games; whoever disturbs must stay out of it."""


class Canary:
    """Watches a game in which nobody claims, and a new one whenever that is over."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._visitor: Visitor | None = None
        self.lobby_id = ""

    async def sit_down(self, game: GameServer) -> None:
        """Begin a new game and watch it until the next one."""
        await self.leave()
        names = ("alice", "bob")
        self.lobby_id = await game.seat(*names, buy_in_amount=CANARY_BUY_IN)
        await game.arrange(self.lobby_id, *names)
        visitor = await self._stack.enter_async_context(game.visitor("alice"))
        self._visitor = await visitor.enter(self.lobby_id, last_seq=0)

    async def leave(self) -> None:
        """Stop watching. Raises AssertionError if anything that was received was not as
        promised."""
        self._visitor = None
        await self._stack.aclose()

    @property
    def game_is_over(self) -> bool:
        """Whether nothing more can be received."""
        return bool(self._watching.of("game_finished"))

    async def receives_more(self) -> None:
        """Return when it has received one more event of the room, or the game is over; raises
        AssertionError if it is cut off, or if anything was lost or doubled since the beginning."""
        visitor = self._watching
        received = len(visitor.seqs)
        await until(lambda: len(visitor.seqs) > received or self.game_is_over)
        self.is_undisturbed()

    def is_undisturbed(self) -> None:
        """Raises AssertionError if it was cut off, or if anything was lost or doubled."""
        visitor = self._watching
        assert visitor.connected, "the canary was cut off"
        assert visitor.seqs == list(range(1, len(visitor.seqs) + 1))

    @property
    def _watching(self) -> Visitor:
        assert self._visitor is not None, "there is no game yet"
        return self._visitor
