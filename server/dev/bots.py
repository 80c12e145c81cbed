"""Bots: players that use only the public protocol, at a human pace."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import httpx
import structlog

from protocol.client import CommandRefused, ConnectionLost, Event, Room, connect, enter_lobby
from protocol.errors import ErrorCode
from protocol.to_client import LobbyState, NumberCalled
from protocol.views import Invoice, LobbyView
from server.rules.draw import Grid
from server.rules.tickets import Complete, judge
from server.rules.variants import Variant

REST_SECONDS: Final = (1.0, 3.0)
"""How long a bot waits before its next game, whether the last one failed or not: at random between
these, so that not all come at once."""

log = structlog.get_logger(__name__)
_random = secrets.SystemRandom()


@dataclass(frozen=True, slots=True)
class Access:
    """What a bot needs to play: the server's URL, `token` of a player's id, and `pay` for an
    invoice, which returns when the payment was taken."""

    url: str
    token: Callable[[str], str]
    pay: Callable[[Invoice], Awaitable[None]]


class Bot:
    """A player of one game, by whatever rules its lobby has.

    `claim_delay_seconds` is the least and the most time between a complete pattern and its claim.
    `grid` is the ticket once it is arranged, `marked` the called numbers of it. `done_waiting` is
    set when the bot no longer waits for a game to begin: its lobby no longer forms, or it plays no
    longer.
    """

    def __init__(
        self,
        access: Access,
        alien_id: str,
        claim_delay_seconds: tuple[float, float] = (0.8, 2.5),
    ) -> None:
        self.alien_id = alien_id
        self.lobby_id = ""
        self.grid: Grid = ()
        self.marked: set[int] = set()
        self.done_waiting = asyncio.Event()
        self._access = access
        self._token = access.token(alien_id)
        self._claim_delay_seconds = claim_delay_seconds

    async def take_seat(self, buy_in_amount: int) -> None:
        """Take a seat and pay for it, unless one is paid already. Raises CommandRefused,
        ConnectionLost, and what paying raises."""
        async with connect(self._access.url, self._token) as desk:
            joined = await desk.join(buy_in_amount, client_seed=secrets.token_hex(8))
        if joined.invoice.status != "paid":
            await self._access.pay(joined.invoice)
        self.lobby_id = joined.lobby.lobby_id

    async def play(self) -> LobbyView:
        """Play the game of the seat to its end. Returns the lobby at that time. Raises
        CommandRefused or ConnectionLost."""
        try:
            async with enter_lobby(self._access.url, self._token, self.lobby_id) as lobby:
                await self._arrange(lobby)
                async for message in lobby:
                    await self._react(lobby, message)
                return lobby.view
        finally:
            self.done_waiting.set()

    async def _arrange(self, lobby: Room) -> None:
        side = lobby.view.rules.side
        numbers = _random.sample(range(1, lobby.view.rules.highest + 1), side * side)
        rows = [numbers[row * side : (row + 1) * side] for row in range(side)]
        try:
            await lobby.select_numbers(numbers)
            self._set_grid(rows)
            await lobby.arrange_grid(rows)
        except CommandRefused as refused:
            # The server has arranged, or this bot had before a restart: the state that comes next
            # has the grid.
            if refused.code not in (ErrorCode.WRONG_STATUS, ErrorCode.ALREADY_ARRANGED):
                raise

    def _set_grid(self, grid: list[list[int]]) -> None:
        self.grid = tuple(tuple(row) for row in grid)

    async def _react(self, lobby: Room, message: Event) -> None:
        if lobby.view.status != "forming":
            self.done_waiting.set()
        match message:
            case LobbyState() if message.you.grid is not None:
                self._set_grid(message.you.grid)
            case NumberCalled(number=number):
                if any(number in row for row in self.grid):
                    self.marked.add(number)
                    await self._claim_if_complete(lobby)

    async def _claim_if_complete(self, lobby: Room) -> None:
        if not isinstance(judge(self.grid, self.marked, lobby.patterns), Complete):
            return
        await asyncio.sleep(_random.uniform(*self._claim_delay_seconds))
        try:
            await lobby.claim()
        except CommandRefused as refused:
            if refused.code is not ErrorCode.WRONG_STATUS:  # another claim has won
                raise


async def keep_bots_waiting(access: Access, tiers: Mapping[int, Variant]) -> None:
    """Keep bots with paid seats waiting in a lobby of each tier, until this is cancelled.

    They are one fewer than a game needs, so that it begins soon after a person has paid as well;
    then others wait in the next lobby.
    """
    async with asyncio.TaskGroup() as group:
        for buy_in_amount, variant in tiers.items():
            for number in range(1, variant.min_players):
                alien_id = f"bot-{number}"
                group.create_task(_keep_seated(access, alien_id, buy_in_amount))


async def _keep_seated(access: Access, alien_id: str, buy_in_amount: int) -> None:
    async with asyncio.TaskGroup() as games:
        while True:
            bot = Bot(access, alien_id)
            games.create_task(_play_one_game(bot, buy_in_amount))
            await bot.done_waiting.wait()
            await asyncio.sleep(_random.uniform(*REST_SECONDS))


async def _play_one_game(bot: Bot, buy_in_amount: int) -> None:
    try:
        await bot.take_seat(buy_in_amount)
        view = await bot.play()
    except (CommandRefused, ConnectionLost, httpx.HTTPError) as error:
        log.warning("bot_gave_up", bot=bot.alien_id, tier=buy_in_amount, error=str(error))
    else:
        log.info("bot_done", bot=bot.alien_id, lobby_id=view.lobby_id, outcome=view.outcome)
    finally:
        bot.done_waiting.set()
