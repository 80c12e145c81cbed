"""Servers as processes of their own, started as an operator would start them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from redis.asyncio import Redis

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.support.fork_server import FAIR_BINGO as FAIR_BINGO
from tests.support.npm import has_node, install_packages
from tests.support.process import ChildProcess, StartProcess
from tests.support.replays import replay_all
from tests.support.wait import TIMEOUT_SECONDS
from tests.system.game_server import (
    GameServer,
    environment,
    game_server,
    published_keys,
    running_app,
)
from tests.system.stored_ledger import StoredLedger

JS = Path(__file__).parent / "js"

READY = r'"url": "(http://[^"]+)"'
"""The line that says that a server is ready; the group is where it answers."""

StartServe = Callable[..., ChildProcess]
Serve = Callable[..., Awaitable[GameServer]]
Run = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture(autouse=True)
async def replayed(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """Every game of every test here is replayed when all is over, unless the test spoils its store
    or ends it."""
    urls = []
    if "store_url" in request.fixturenames:
        urls.append(request.getfixturevalue("store_url"))
    if "own_store" in request.fixturenames:
        urls.append(request.getfixturevalue("own_store").url)
    yield
    if request.node.get_closest_marker("not_replayed") is None:
        for url in urls:
            await replay_all(url)


@pytest.fixture
async def variables(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> AsyncIterator[dict[str, str]]:
    """The environment of a server on an empty store."""
    async with published_keys(issuer) as jwks_url:
        yield environment(store_url, jwks_url, issuer, provider)


@pytest.fixture
def start_serve(variables: dict[str, str], start_process: StartProcess) -> StartServe:
    """Starts `fair-bingo serve`; the arguments are variables of its environment, "" is unset."""

    def start(**changes: str) -> ChildProcess:
        return start_process(FAIR_BINGO, "serve", **variables | changes)

    return start


@pytest.fixture
async def serve(
    start_serve: StartServe, issuer: DevIssuer, provider: DevProvider
) -> AsyncIterator[Serve]:
    """Starts `fair-bingo serve` and waits until it is ready to be played on."""
    async with AsyncExitStack() as stack:

        async def start(**changes: str) -> GameServer:
            ready = await start_serve(**changes).wait_for_line(READY)
            return await stack.enter_async_context(game_server(ready[1], issuer, provider))

        yield start


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The packages that the lock file names, installed unless they are."""
    if not has_node():
        pytest.skip("node and npm are not installed")
    return install_packages(JS, "ci")


@pytest.fixture
def fair_bingo(start_process: StartProcess, variables: dict[str, str]) -> Run:
    """Runs a command: its exit code, and what it printed."""

    async def run(*arguments: str) -> tuple[int, str]:
        process = start_process(FAIR_BINGO, *arguments, **variables)
        return await process.wait(), process.output

    return run


@pytest.fixture
async def stored(store_url: str) -> AsyncIterator[StoredLedger]:
    """The ledger of the store that the commands look into."""
    async with Redis.from_url(
        store_url, decode_responses=True, socket_timeout=TIMEOUT_SECONDS
    ) as redis:
        yield StoredLedger(redis)


@pytest.fixture
async def open_server(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> AsyncIterator[GameServer]:
    """A server in this process, on the same store, that limits nobody."""
    async with running_app(store_url, issuer, provider, HTTP_RATE="0") as server:
        yield server
