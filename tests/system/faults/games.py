"""Games, many at a time, on servers that fail meanwhile."""

import asyncio
from collections.abc import Sequence
from itertools import count

from tests.support.wait import until
from tests.system.faults.follower import Follower
from tests.system.faults.players import Players
from tests.system.game_server import has_pattern

TIERS = (3500, 7000, 17500)
GRIDS = (
    [[1, 2, 3], [4, 5, 6], [7, 8, 9]],
    [[10, 11, 12], [13, 14, 15], [16, 17, 18]],
)
FINISH_SECONDS = 200

_names = (f"player-{number}" for number in count(1))


class Games:
    """Games of two. In every second one the players claim as soon as they can; the others run
    through all their numbers. Each is followed by a spectator."""

    def __init__(self, players: Players) -> None:
        self.players = players
        self.claims: list[tuple[str, str, bool]] = []
        """Every claim that was answered: the lobby, who claimed, and whether it was valid."""
        # The players of one game join one after the other, so that they get the same lobby.
        self._seating = {tier: asyncio.Lock() for tier in TIERS}
        self._begun = 0
        self._followers: list[Follower] = []

    @property
    def received(self) -> int:
        """How much all that play and follow have received: answers, and events of lobbies."""
        return self.players.answers + sum(len(each.received) for each in self._followers)

    async def play(self, how_many: int, at_once: int) -> Sequence[Follower]:
        """Play to the end. Returns the followers of all games."""
        places = asyncio.Semaphore(at_once)

        async def one(number: int) -> Follower:
            async with places:
                return await self._play(TIERS[number % len(TIERS)], claims=number % 2 == 0)

        async with asyncio.TaskGroup() as group:
            games = [group.create_task(one(number)) for number in range(how_many)]
        return [game.result() for game in games]

    async def begin(self, how_many: int) -> None:
        """Return when so many games have begun."""
        await until(lambda: self._begun >= how_many, FINISH_SECONDS)

    async def _play(self, tier: int, *, claims: bool) -> Follower:
        async with self._seating[tier]:
            lobby_id, names = await self.players.seat_two(_names, tier)
        url, token = self.players.url, self.players.issuer.token("watcher")
        async with Follower(url, token, lobby_id) as follower, asyncio.TaskGroup() as group:
            self._followers.append(follower)
            for name, grid in zip(names, GRIDS, strict=True):
                await self._arrange(name, lobby_id, grid)
            self._begun += 1
            for name, grid in zip(names, GRIDS, strict=True):
                if claims:
                    group.create_task(self._claim(name, follower, grid))
            await follower.wait_until_finished()
        return follower

    async def _arrange(self, name: str, lobby_id: str, grid: list[list[int]]) -> None:
        path = f"/api/game/{lobby_id}/numbers/arrange"
        status, answer = await self.players.ask(name, path, {"grid": grid})
        # Sent twice, the first time without an answer: the game may have begun with it.
        assert status == 200 or answer["code"] in ("wrong_status", "already_arranged"), answer

    async def _claim(self, name: str, follower: Follower, grid: list[list[int]]) -> None:
        await until(
            lambda: follower.finished.is_set() or has_pattern(grid, follower.called), FINISH_SECONDS
        )
        path = f"/api/game/{follower.lobby_id}/claim"
        status, answer = await self.players.ask(name, path, {})
        if status in (200, 400) and "valid" in answer:
            self.claims.append((follower.lobby_id, name, answer["valid"]))
        elif answer["code"] == "removed_from_game":
            # Sent twice, the first time without an answer: it was not valid, as what was called is
            # lost with a primary.
            self.claims.append((follower.lobby_id, name, False))
        else:
            assert answer["code"] == "wrong_status", answer
