"""A server to play on, in this process or as a child, and the people around it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
from aiohttp import web
from yarl import URL

from server.assembly.app import App
from server.assembly.tiers import tiers
from server.dev.issuer import JWKS_PATH, DevIssuer
from server.dev.provider import DevProvider, Outcome
from server.rules.variants import Variant
from server.runtime.settings import Settings, load_settings
from server.store.timings import PATIENT, StoreTimings
from server.transport.front_desk import LISTING_SECONDS
from server.transport.http.runner import KEEP_ALIVE_SECONDS
from tests.support.http import http_session, serve_app
from tests.support.wait import TIMEOUT_SECONDS
from tests.system.visitor import PAUSE_SECONDS, Visitor

WEBHOOK = "/api/webhooks/payment"
BUY_IN = 3500

# Each name's ticket is this row of nine numbers: alice has 1 to 9, bob 10 to 18.
NAMES = ("alice", "bob", "carol", "dave", "erin")


class HttpAnswer(NamedTuple):
    """What came back."""

    status: int
    content_type: str
    body: Any
    headers: Mapping[str, str]


class GameServer:
    """A server at `url`, as its users meet it. What is done here over HTTP has to succeed."""

    def __init__(
        self, url: str, issuer: DevIssuer, provider: DevProvider, http: aiohttp.ClientSession
    ) -> None:
        self.url = url
        self.issuer = issuer
        self.provider = provider
        self._http = http

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2])

    async def request(
        self, method: str, path: str, name: str | None = None, **options: Any
    ) -> HttpAnswer:
        """Send a request as the player `name`, None: as nobody; `options` are aiohttp's."""
        headers = dict(options.pop("headers", {}))
        if name is not None:
            headers["Authorization"] = f"Bearer {self.issuer.token(name)}"
        url = URL(self.url + path, encoded=True)  # as it stands, whatever it is
        async with self._http.request(
            method, url, headers=headers, allow_redirects=False, **options
        ) as answer:
            body = await answer.read()
            is_json = answer.content_type.endswith("json")
            return HttpAnswer(
                answer.status,
                answer.content_type,
                json.loads(body) if is_json else body,
                answer.headers,
            )

    async def request_again(
        self, method: str, path: str, name: str | None = None, **options: Any
    ) -> HttpAnswer:
        """Send a request as clients do, again where the store or the books do not answer in time:
        the last answer."""
        give_up_s = time.monotonic() + TIMEOUT_SECONDS
        while True:
            answer = await self.request(method, path, name, **options)
            if answer.status != 503 or time.monotonic() > give_up_s:
                return answer
            await asyncio.sleep(PAUSE_SECONDS)

    async def get(self, path: str, name: str | None = None) -> HttpAnswer:
        """GET as the player `name`."""
        return await self.request("GET", path, name)

    async def get_again(self, path: str, name: str | None = None) -> HttpAnswer:
        """GET as `request_again` does."""
        return await self.request_again("GET", path, name)

    async def post(self, path: str, name: str | None = None, body: Any = None) -> HttpAnswer:
        """POST a JSON body as the player `name`."""
        return await self.request("POST", path, name, json={} if body is None else body)

    async def post_again(
        self, path: str, name: str, body: Any = None, if_done: str = ""
    ) -> HttpAnswer | None:
        """POST as clients do, again where a store does not answer in time: the last answer. None:
        it has the code `if_done`, after one that left open whether it was carried out."""
        give_up_s = time.monotonic() + TIMEOUT_SECONDS
        is_again = False
        while True:
            answer = await self.post(path, name, body)
            if answer.status != 503 or time.monotonic() > give_up_s:
                break
            is_again = True
            await asyncio.sleep(PAUSE_SECONDS)
        is_refused = answer.status not in (200, 503)
        return None if is_again and is_refused and answer.body["code"] == if_done else answer

    async def join(self, name: str, buy_in_amount: int = BUY_IN) -> Any:
        """Seat a player, who has yet to pay: the answer of the route."""
        answer = await self.post_again("/api/game/join", name, {"buy_in_amount": buy_in_amount})
        assert answer is not None
        assert answer.status == 200, answer
        return answer.body

    async def pay(self, invoice: Mapping[str, Any], outcome: Outcome = "paid") -> Any:
        """The payment provider reports what became of an invoice."""
        answer = await self.provider.pay(self.url + WEBHOOK, invoice, outcome)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def seat(self, *names: str, buy_in_amount: int = BUY_IN) -> str:
        """Seat players, who pay. The id of their lobby."""
        for name in names:
            joined = await self.join(name, buy_in_amount)
            await self.pay(joined["invoice"])
        return str(joined["lobby_id"])

    async def arrange(self, lobby_id: str, *names: str) -> None:
        """Players arrange the tickets of their names."""
        for name in names:
            path = f"/api/game/{lobby_id}/numbers/arrange"
            # The last grid begins the game.
            answer = await self.post_again(path, name, {"grid": ticket(name)}, "wrong_status")
            assert answer is None or answer.status == 200, answer

    async def leave(self, lobby_id: str, name: str) -> None:
        """A player gives up the seat."""
        await self.post_again(f"/api/game/{lobby_id}/leave", name)

    async def ready(self, *names: str) -> str:
        """Seat players who pay and arrange. The id of their lobby, active if that fills it."""
        lobby_id = await self.seat(*names)
        await self.arrange(lobby_id, *names)
        return lobby_id

    def visitor(self, name: str, token: str | None = None) -> Visitor:
        """Someone on a stock client who has not connected yet."""
        return Visitor(self.url, name, token or self.issuer.token(name))


@asynccontextmanager
async def game_server(
    url: str, issuer: DevIssuer, provider: DevProvider
) -> AsyncIterator[GameServer]:
    """A `GameServer` for a server that runs at `url`."""
    async with http_session() as http:
        yield GameServer(url, issuer, provider, http)


@asynccontextmanager
async def running_app(
    store_url: str,
    issuer: DevIssuer,
    provider: DevProvider,
    keep_alive_seconds: float = KEEP_ALIVE_SECONDS,
    timings: StoreTimings = PATIENT,
    offered: Callable[[Settings], Mapping[int, Variant]] = tiers,
    listing_seconds: float = LISTING_SECONDS,
    /,
    **changes: str,
) -> AsyncIterator[GameServer]:
    """A server in this process. `changes` are variables of its environment, `offered` gives the
    variant of each buy-in; lobbies are listed at most once in `listing_seconds`."""
    async with AsyncExitStack() as stack:
        jwks_url = await stack.enter_async_context(published_keys(issuer))
        variables = environment(store_url, jwks_url, issuer, provider) | changes
        settings = load_settings(variables)
        app = App(
            settings,
            offered=offered(settings),
            keep_alive_seconds=keep_alive_seconds,
            timings=timings,
            listing_seconds=listing_seconds,
        )
        wait_for_issuer(app)
        stack.push_async_callback(app.stop)
        url = await app.start()
        yield await stack.enter_async_context(game_server(url, issuer, provider))


def wait_for_issuer(app: App) -> None:
    """Have a server be patient with an issuer in this process: a pause of that is no outage."""
    app.authentication._keys._fetch_seconds = TIMEOUT_SECONDS


@asynccontextmanager
async def published_keys(issuer: DevIssuer) -> AsyncIterator[str]:
    """The URL where the issuer's keys can be fetched."""
    app = web.Application()
    app.add_routes(issuer.routes())
    async with serve_app(app) as url:
        yield url + JWKS_PATH


def environment(
    store_url: str, jwks_url: str, issuer: DevIssuer, provider: DevProvider
) -> dict[str, str]:
    """The environment of a server that trusts this issuer and provider, on a free port, for games
    of two without a limit of joins, in which no number is called unless the interval is changed."""
    return {
        "REDIS_URL": store_url,
        "ALIEN_PROVIDER_ADDRESS": issuer.audience,
        "ALIEN_ISSUER": issuer.issuer,
        "ALIEN_JWKS_URL": jwks_url,
        "WEBHOOK_PUBLIC_KEY": provider.public_key_hex,
        "HOST": "127.0.0.1",
        "PORT": "0",
        "DRAIN_SECONDS": "0",
        "JOIN_RATE": "0",
        "MAX_PLAYERS": "2",
        "CALL_INTERVAL_SECONDS": "600",
    }


def ticket(name: str, side: int = 3) -> list[list[int]]:
    """The ticket of a name: a grid of `side` rows, with other numbers than anybody else's."""
    first = 1 + NAMES.index(name) * side * side
    return [[first + row * side + column for column in range(side)] for row in range(side)]


def numbers(name: str) -> list[int]:
    """The numbers of a name's ticket, in ascending order."""
    return [number for row in ticket(name) for number in row]


def has_pattern(grid: list[list[int]], called: set[int]) -> bool:
    """Whether all numbers of a row, a column or a diagonal of the grid have been called."""
    side = range(len(grid))
    columns = [list(column) for column in zip(*grid, strict=True)]
    diagonals = [[grid[i][i] for i in side], [grid[i][-1 - i] for i in side]]
    return any(called.issuperset(cells) for cells in [*grid, *columns, *diagonals])
