"""A player: joins, pays, arranges, marks what is called, claims; then the next game."""

import time
from contextlib import suppress
from typing import Any

from protocol.ids import FRONT_DESK, lobby_namespace
from server.load.connection import LoadConnection
from server.load.context import WorkerContext
from server.load.failures import Disconnected, RequestRefused
from server.load.participant import Participant
from server.load.room import RoomMeter
from server.load.ticket import Ticket


class Game:
    """What a player has and has done in one game. `joined` is the acknowledgement of `join`."""

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

    def __init__(self, token: str, joined: dict[str, Any], room: RoomMeter) -> None:
        rules = joined["lobby"]["rules"]
        self.token = token
        self.lobby_id = joined["lobby"]["lobby_id"]
        self.invoice = joined["invoice"]
        self.room = room
        self.ticket = Ticket(rules["side"], rules["highest"])
        self.has_paid = False
        self.has_selected = False
        self.has_arranged = False
        self.has_claimed = False

    @property
    def can_be_claimed(self) -> bool:
        """Whether a pattern is complete, and the player has not claimed yet."""
        return self.ticket.is_complete and not self.has_claimed


class LoadPlayer(Participant):
    """Plays games of one tier, `buy_in_amount` (coins), one after the other."""

    def __init__(self, alien_id: str, buy_in_amount: int, context: WorkerContext) -> None:
        super().__init__(alien_id, context)
        self._buy_in_amount = buy_in_amount
        self._game: Game | None = None

    async def leave(self) -> None:
        """Leave the lobby, and close the connection."""
        game, connection = self._game, self._connection
        if game and connection and connection.is_in(lobby_namespace(game.lobby_id)):
            with suppress(Disconnected, RequestRefused):
                await connection.ask("leave")
        await super().leave()

    async def _take_part(self) -> None:
        game = self._game = self._game or await self._join()
        connection = await self._connected()
        auth = game.room.auth(game.token)
        await connection.enter(lobby_namespace(game.lobby_id), auth, self._receive)
        await self._pay_and_arrange(game, connection)
        while not game.room.is_over:
            if game.can_be_claimed and self._context.claims:
                await self._claim(game, connection)
            else:
                await self._wait_until_woken(connection)
        self._context.meter.count("games")
        self._context.games.end(game.lobby_id)
        self._game = None

    def _forget_game(self) -> None:
        self._game = None

    async def _join(self) -> Game:
        token = await self._valid_token()
        connection = await self._connected()
        # Without a handler: the lists of lobbies are long to parse, and not needed.
        await connection.enter(FRONT_DESK, {"token": token})
        joined = await connection.ask("join", buy_in_amount=self._buy_in_amount)
        room = RoomMeter(
            self._context.meter, self._context.games.schedule(joined["lobby"]["lobby_id"])
        )
        return Game(token, joined, room)

    async def _pay_and_arrange(self, game: Game, connection: LoadConnection) -> None:
        if not game.has_paid:
            start_s = time.monotonic()
            await self._context.payer.pay(game.invoice)
            self._context.meter.since("pay", start_s)
            game.has_paid = True
        if not game.has_selected:
            await connection.ask("select_numbers", numbers=sorted(game.ticket.numbers))
            game.has_selected = True
        if not game.has_arranged:
            await connection.ask("arrange_grid", grid=game.ticket.grid)
            game.has_arranged = True

    async def _claim(self, game: Game, connection: LoadConnection) -> None:
        try:
            answer = await connection.ask("claim")
        except RequestRefused as refused:
            if refused.code != "wrong_status":
                raise
            self._context.meter.count("late_claims")
        else:
            if answer["valid"]:
                self._context.meter.count("wins")
            else:
                self._context.meter.error("false_claim")
        game.has_claimed = True

    def _receive(self, name: str, message: dict[str, Any]) -> None:
        game = self._game
        if game is None:
            return
        if name == "lobby_state":
            game.ticket.set_patterns(message["patterns"])
        if not game.room.receive(name, message):
            return
        is_marked = name == "number_called" and game.ticket.mark(message["number"])
        if is_marked or game.room.is_over:
            self._wake_up.set()
