"""A player: joins, pays, arranges, listens, claims; then the next game."""

import time
from contextlib import suppress
from typing import Any

from protocol.ids import FRONT_DESK, lobby_namespace
from server.load.connection import Connection
from server.load.failures import ConnectionLost, Refused
from server.load.kit import Kit
from server.load.participant import Participant
from server.load.room import Room
from server.load.ticket import Ticket


class Game:
    """A player's part in one game. The flags say what has been done."""

    __slots__ = (
        "has_arranged",
        "has_claimed",
        "has_paid",
        "has_selected",
        "invoice",
        "lobby_id",
        "room",
        "ticket",
        "token",
    )

    def __init__(self, token: str, joined: dict[str, Any], room: Room) -> None:
        rules = joined["lobby"].get("rules")  # a server of the version before does not say them
        self.token = token
        self.lobby_id = joined["lobby"]["lobby_id"]
        self.invoice = joined["invoice"]
        self.room = room
        self.ticket = Ticket(rules["side"], rules["highest"]) if rules else Ticket()
        self.has_paid = False
        self.has_selected = False
        self.has_arranged = False
        self.has_claimed = False

    @property
    def is_to_be_claimed(self) -> bool:
        """Whether it is time to claim."""
        return self.ticket.is_complete and not self.has_claimed


class Player(Participant):
    """Plays games of one tier."""

    def __init__(self, alien_id: str, buy_in_amount: int, kit: Kit) -> None:
        super().__init__(alien_id, kit)
        self._buy_in_amount = buy_in_amount
        self._game: Game | None = None

    async def leave(self) -> None:
        """Give the seat up, and say goodbye."""
        game, line = self._game, self._line
        if game is not None and line is not None and line.is_in(lobby_namespace(game.lobby_id)):
            with suppress(ConnectionLost, Refused):
                await line.ask("leave")
        await super().leave()

    async def _take_part(self) -> None:
        game = self._game = self._game or await self._sit_down()
        line = await self._connected()
        auth = game.room.auth(game.token)
        await line.enter(lobby_namespace(game.lobby_id), auth, self._hear)
        await self._prepare(game, line)
        while not game.room.is_over:
            if game.is_to_be_claimed and self._kit.claims:
                await self._claim(game, line)
            else:
                await self._wait_for_news(line)
        self._kit.meter.count("games")
        self._kit.games.end(game.lobby_id)
        self._game = None

    def _give_up(self) -> None:
        self._game = None

    async def _sit_down(self) -> Game:
        token = await self._identify()
        line = await self._connected()
        await line.enter(FRONT_DESK, {"token": token})  # its listings are long, and of no use here
        joined = await line.ask("join", buy_in_amount=self._buy_in_amount)
        room = Room(self._kit.meter, self._kit.games.pace(joined["lobby"]["lobby_id"]))
        return Game(token, joined, room)

    async def _prepare(self, game: Game, line: Connection) -> None:
        if not game.has_paid:
            start_s = time.monotonic()
            await self._kit.payments.pay(game.invoice)
            self._kit.meter.since("pay", start_s)
            game.has_paid = True
        if not game.has_selected:
            await line.ask("select_numbers", numbers=sorted(game.ticket.numbers))
            game.has_selected = True
        if not game.has_arranged:
            await line.ask("arrange_grid", grid=game.ticket.grid)
            game.has_arranged = True

    async def _claim(self, game: Game, line: Connection) -> None:
        try:
            answer = await line.ask("claim")
        except Refused as refused:
            if refused.code != "wrong_status":
                raise
            self._kit.meter.count("late_claims")
        else:
            if answer["valid"]:
                self._kit.meter.count("wins")
            else:
                self._kit.meter.error("false_claim")
        game.has_claimed = True

    def _hear(self, name: str, message: dict[str, Any]) -> None:
        game = self._game
        if game is None or not game.room.hear(name, message):
            return
        if name == "number_called":
            is_news = game.ticket.mark(message["number"])
        else:
            is_news = game.room.is_over
        if is_news:
            self._news.set()
