"""Players of the load tool who do the same at the same time, so that it can be measured."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Final

import aiohttp

from protocol.ids import FRONT_DESK, lobby_namespace
from protocol.payments import SIGNATURE_HEADER
from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.load.connection import LoadConnection
from server.load.dialer import Dialer
from server.load.meter import Meter
from server.load.target import Target
from server.load.ticket import Ticket
from server.rules.events import Event
from server.rules.lobby import Lobby
from server.rules.phases import tick
from server.rules.tickets import Complete, judge
from server.rules.turn import Turn
from server.services.lobbies import Changed
from tests.bench.commands_timing import at_once
from tests.support.game import Node
from tests.support.wait import until
from tests.system.game_server import WEBHOOK

AT_ONCE: Final = 16
"""How many do at once what is not measured."""


class Player:
    """Someone with a connection, in one namespace at a time, and a ticket of their own."""

    def __init__(self, name: str, token: str, connection: LoadConnection) -> None:
        self.name = name
        self.lobby_id = ""
        self.invoice: dict[str, Any] = {}
        self.ticket = Ticket(side=3, highest=50)
        self.calls_heard = 0
        self.connection = connection
        self._auth = {"token": token}

    async def to_front_desk(self) -> None:
        """Enter `/lobbies`."""
        await self.connection.enter(FRONT_DESK, self._auth, self._receive)

    async def join(self, tier: int) -> None:
        """Take a seat."""
        answer = await self.connection.ask("join", buy_in_amount=tier)
        self.lobby_id, self.invoice = answer["lobby"]["lobby_id"], answer["invoice"]

    async def to_lobby(self) -> None:
        """Enter the lobby of the seat."""
        await self.connection.enter(lobby_namespace(self.lobby_id), self._auth, self._receive)

    async def arrange(self) -> None:
        """Arrange the ticket."""
        await self.connection.ask("arrange_grid", grid=self.ticket.grid)

    async def claim(self) -> None:
        """Claim, rightly or not."""
        answer = await self.connection.ask("claim")
        assert answer["valid"] is self.ticket.is_complete, answer

    def _receive(self, name: str, message: dict[str, Any]) -> None:
        if name == "lobby_state":
            self.ticket.set_patterns(message["patterns"])
        elif name == "number_called":
            self.ticket.mark(message["number"])
            self.calls_heard = message["index"]


class Clients:
    """All players of a server at `url`."""

    def __init__(
        self, url: str, issuer: DevIssuer, provider: DevProvider, http: aiohttp.ClientSession
    ) -> None:
        self.players: list[Player] = []
        self._dialer = Dialer(Target.resolve(url), Meter())
        self._issuer = issuer
        self._provider = provider
        self._http = http
        self._webhook_url = url + WEBHOOK

    async def arrive(self, how_many: int, together: int = AT_ONCE) -> Sequence[Player]:
        """So many more players, at the front desk, so many of them at a time."""
        first = len(self.players)
        await at_once(together)(
            [partial(self._arrive, f"player-{first + number}") for number in range(how_many)]
        )
        return self.players[first:]

    async def sit_down(self, players: Iterable[Player]) -> None:
        """Have players pay their seats and enter their lobbies."""
        await at_once(AT_ONCE)([partial(self._sit_down, player) for player in players])

    def leave(self) -> None:
        """Have everyone go home."""
        for player in self.players:
            player.connection.close()

    async def _arrive(self, name: str) -> None:
        player = Player(name, self._issuer.token(name), await self._dialer.dial())
        await player.to_front_desk()
        self.players.append(player)

    async def _sit_down(self, player: Player) -> None:
        body = json.dumps(self._provider.payload(player.invoice)).encode()
        headers = {SIGNATURE_HEADER: self._provider.sign(body)}
        async with self._http.post(self._webhook_url, data=body, headers=headers) as answer:
            said = await answer.json()
            assert said == {"success": True, "processed": True}, said
        await player.to_lobby()


async def call_until_won(node: Node, players: Iterable[Player]) -> None:
    """Call numbers in all lobbies of these players, ahead of time, until somebody in each has a
    pattern. Returns when the players have received it."""
    by_lobby = defaultdict(list)
    for player in players:
        by_lobby[player.lobby_id].append(player)
    for lobby_id, seated in by_lobby.items():
        changed = await node.lobbies.change(lobby_id, _calls)
        assert isinstance(changed, Changed), changed
        calls = len(changed.lobby.called)
        await until(lambda: all(p.calls_heard == calls for p in seated))  # noqa: B023


def _calls(lobby: Lobby, _now_ms: float) -> list[Event]:
    turn = Turn(lobby)
    while not _is_won(turn.lobby):
        assert turn.lobby.next_call_at is not None, turn.lobby
        tick(turn, turn.lobby.next_call_at)
    return turn.events


def _is_won(lobby: Lobby) -> bool:
    called = frozenset(lobby.called)
    return any(
        isinstance(judge(p.grid or (), called, lobby.variant.patterns), Complete)
        for p in lobby.players.values()
    )


def winners(players: Iterable[Player]) -> list[Player]:
    """Of each lobby one who has a pattern."""
    return list({p.lobby_id: p for p in players if p.ticket.is_complete}.values())
