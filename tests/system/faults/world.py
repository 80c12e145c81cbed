"""A store, some servers on it, and everybody who plays there: the world of one run of games."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from server.runtime.exit_codes import FAILED
from tests.support.game import Node, starting_nodes
from tests.support.process import ChildProcess
from tests.system.conftest import FAIR_BINGO
from tests.system.faults.games import Games
from tests.system.faults.links import Links
from tests.system.faults.players import Players, impatient_http
from tests.system.faults.servers import Server, addresses, ended
from tests.system.faults.verdict import Tally, compare, judge
from tests.system.game_server import environment, published_keys

PACE = {
    "CALL_INTERVAL_SECONDS": "0.1",
    "ARRANGING_SECONDS": "600",  # for whoever is not answered in time, so that all tickets count
    "MAX_PLAYERS": "2",
    "DRAIN_SECONDS": "1",
    "CONNECT_RATE": "0",
    "SOCKETS_PER_PLAYER": "0",
    "HTTP_RATE": "0",
}
AUDITS = 10


@dataclass(slots=True)
class World:
    """Everything of a run. `links` are in the place of a load balancer; `over` is whether all games
    are."""

    store: EmbeddedStore | None
    servers: Sequence[Server]
    links: Links
    games: Games
    node: Node
    tally: Tally
    variables: Mapping[str, str]
    directory: Path
    games_at_once: int = 0
    over: bool = False

    async def play(
        self, how_many: int, at_once: int, plan: Callable[["World"], Coroutine[Any, Any, None]]
    ) -> Tally:
        """Play games while `plan` injects faults. Returns when both are done."""
        self.games_at_once = at_once
        injecting = asyncio.create_task(plan(self))
        try:
            followers = await self.games.play(how_many, at_once)
            self.over = True
            await injecting
        finally:
            injecting.cancel()
            await asyncio.wait([injecting])
        for follower in followers:
            records = await judge(self.node, follower.lobby_id, self.tally)
            compare(follower, records, self.tally)
        return self.tally

    async def audit(self) -> ChildProcess:
        """`fair-bingo audit`, when it has ended. It confirms what is over: it is started again
        where a replica is not in time for that."""
        for number in range(AUDITS):
            output_path = self.directory / f"audit-{number}.log"
            audit = ChildProcess([FAIR_BINGO, "audit"], self.variables, output_path)
            if await audit.wait() != FAILED or "the store does not answer" not in audit.output:
                break
        return audit


@asynccontextmanager
async def world(
    store: EmbeddedStore | str, directory: Path, how_many_servers: int, **changes: str
) -> AsyncIterator[World]:
    """A world with so many servers that are ready; `store` may be a URL, `changes` are variables of
    their environment. All of it has ended afterwards, but for the store, which is not ours."""
    store_url = store if isinstance(store, str) else store.url
    issuer = DevIssuer("https://issuer.test", "00000001000000000000000000000000")
    provider = DevProvider()
    async with AsyncExitStack() as stack:
        jwks_url = await stack.enter_async_context(published_keys(issuer))
        variables = environment(store_url, jwks_url, issuer, provider) | PACE | changes
        started = [Server(variables, directory) for _ in range(how_many_servers)]
        servers = stack.enter_context(ended(*started))
        await asyncio.gather(*(server.wait_until_ready() for server in servers))
        links = await stack.enter_async_context(Links(lambda: addresses(servers)))
        http = await stack.enter_async_context(impatient_http())
        start_node = await stack.enter_async_context(starting_nodes())
        yield World(
            store=None if isinstance(store, str) else store,
            servers=servers,
            links=links,
            games=Games(Players(f"http://{links.address}", issuer, provider, http)),
            node=await start_node(store_url),
            tally=Tally(),
            variables=variables,
            directory=directory,
        )
