"""Players who send the same command at the same time, so that it can be measured. Their connections
and tickets are the load tool's; its own players go through whole games, each at its own time."""

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
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
from tests.bench.support.cores import SERVER_CORE
from tests.bench.support.granted import deliver, granted
from tests.bench.support.serving import UNLIMITED, serving
from tests.bench.support.timing import closed_loop
from tests.support.game import Node
from tests.support.http import http_session
from tests.support.wait import until
from tests.system.game_server import WEBHOOK, environment, published_keys

UNMEASURED_CONCURRENCY: Final = 16
"""How many players at a time do what is not measured."""


class Player:
    """A player with a connection, in one namespace at a time, and a ticket. What they ask has to be
    granted: RequestRefused is raised otherwise. Where a server or its store is held up so long that
    the answer is `unavailable`, they ask again, as clients do."""

    def __init__(self, token: str, connection: LoadConnection) -> None:
        self.lobby_id = ""
        self.invoice: dict[str, Any] = {}
        self.ticket = Ticket(side=3, highest=50)
        self.calls_received = 0
        self.connection = connection
        self._auth = {"token": token}

    async def to_front_desk(self) -> None:
        """Enter `/lobbies`."""
        await granted(partial(self.connection.enter, FRONT_DESK, self._auth, self._receive))

    async def join(self, tier: int) -> None:
        """Take a seat."""
        answer = await granted(partial(self.connection.ask, "join", buy_in_amount=tier))
        assert answer is not None
        self.lobby_id, self.invoice = answer["lobby"]["lobby_id"], answer["invoice"]

    async def to_lobby(self) -> None:
        """Enter the lobby of the seat."""
        namespace = lobby_namespace(self.lobby_id)
        await granted(partial(self.connection.enter, namespace, self._auth, self._receive))

    async def arrange(self) -> None:
        """Arrange the ticket."""
        # The last one of a lobby begins its game.
        arrange = partial(self.connection.ask, "arrange_grid", grid=self.ticket.grid)
        await granted(arrange, if_done="wrong_status")

    async def claim(self) -> None:
        """Claim. The answer has to be what the ticket says."""
        answer = await granted(partial(self.connection.ask, "claim"), if_done="removed_from_game")
        is_valid = answer is not None and answer["valid"]
        assert is_valid is self.ticket.is_complete, answer

    def _receive(self, name: str, message: dict[str, Any]) -> None:
        if name == "lobby_state":
            self.ticket.set_patterns(message["patterns"])
        elif name == "number_called":
            self.ticket.mark(message["number"])
            self.calls_received = message["index"]


class Players:
    """The players of the server at `url`; nobody is connected at first."""

    def __init__(
        self, url: str, issuer: DevIssuer, provider: DevProvider, http: aiohttp.ClientSession
    ) -> None:
        self.connected: list[Player] = []
        self._dialer = Dialer(Target.resolve(url), Meter())
        self._issuer = issuer
        self._provider = provider
        self._http = http
        self._webhook_url = url + WEBHOOK

    async def connect(
        self, count: int, concurrency: int = UNMEASURED_CONCURRENCY
    ) -> Sequence[Player]:
        """Connect so many more players to the front desk, so many of them at a time."""
        first = len(self.connected)
        await closed_loop(concurrency)(
            [partial(self._connect, f"player-{first + number}") for number in range(count)]
        )
        return self.connected[first:]

    async def pay_and_enter(self, players: Iterable[Player]) -> None:
        """Have players who joined pay for their seats and enter their lobbies."""
        await closed_loop(UNMEASURED_CONCURRENCY)(
            [partial(self._pay_and_enter, player) for player in players]
        )

    def disconnect(self) -> None:
        """Close the connections of all players."""
        for player in self.connected:
            player.connection.close()

    async def _connect(self, name: str) -> None:
        player = Player(self._issuer.token(name), await self._dialer.dial())
        await player.to_front_desk()
        self.connected.append(player)

    async def _pay_and_enter(self, player: Player) -> None:
        payload = json.dumps(self._provider.payload(player.invoice)).encode()
        headers = {SIGNATURE_HEADER: self._provider.sign(payload)}
        await deliver(self._http, self._webhook_url, payload, headers)
        await player.to_lobby()


@asynccontextmanager
async def server_with_players(
    store_url: str, **settings: str
) -> AsyncIterator[tuple[int, Players]]:
    """The process id of a server that limits nobody, on a core of its own and with further
    settings, and its players."""
    issuer, provider = DevIssuer("https://issuer.test", "provider"), DevProvider()
    async with published_keys(issuer) as jwks_url, http_session() as http:
        variables = environment(store_url, jwks_url, issuer, provider) | UNLIMITED | settings
        async with serving(variables, SERVER_CORE) as server:
            yield server.process.pid, Players(server.url, issuer, provider, http)


async def call_until_won(node: Node, players: Iterable[Player]) -> None:
    """Call numbers in all lobbies of these players, before they are due, until a player of each has
    a pattern complete. Returns when all players have received the numbers."""
    by_lobby = defaultdict(list)
    for player in players:
        by_lobby[player.lobby_id].append(player)
    for lobby_id, seated in by_lobby.items():
        changed = await node.lobbies.change(lobby_id, _calls_until_won)
        assert isinstance(changed, Changed), changed
        calls = len(changed.lobby.called)
        await until(lambda: all(p.calls_received == calls for p in seated))  # noqa: B023


def _calls_until_won(lobby: Lobby, _now_ms: float) -> list[Event]:
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
    """One player of each lobby who has a pattern complete, if there is one."""
    return list({p.lobby_id: p for p in players if p.ticket.is_complete}.values())
