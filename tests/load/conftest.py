"""Servers that the load tool plays on, and the tool itself as its users start it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from server.assembly.app import App
from server.dev.issuer import DevIssuer
from server.dev.ports import free_port
from server.dev.provider import DevProvider
from server.dev.routes import DevRoutes
from server.runtime.settings import load_settings
from server.store.timings import PATIENT
from tests.support.process import ChildProcess, StartProcess
from tests.system.conftest import FAIR_BINGO
from tests.system.game_server import WEBHOOK, environment, published_keys, wait_for_issuer

# Players of games that are sixty times as fast as real ones send more messages a second than the
# limits allow.
GAME = {
    "MAX_PLAYERS": "10",
    "CALL_INTERVAL_SECONDS": "0.05",
    "CONNECT_RATE": "0",
    "SOCKETS_PER_PLAYER": "0",
    "MESSAGE_RATE": "0",
    "HTTP_RATE": "0",
}
KEEP_ALIVE_SECONDS = 3600.0

Load = Callable[..., ChildProcess]
"""Starts `fair-bingo load URL` with these further arguments."""


@pytest.fixture
def load(start_process: StartProcess) -> Load:
    """Starts the load tool, with the interval of `GAME` between calls."""

    def start(url: str, *options: str) -> ChildProcess:
        return start_process(FAIR_BINGO, "load", url, "--call-interval-seconds", "0.05", *options)

    return start


@pytest.fixture
async def dev_url(store_url: str, issuer: DevIssuer, provider: DevProvider) -> AsyncIterator[str]:
    """The URL of a server in this process that gives tokens and pays, with very fast games."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with AsyncExitStack() as stack:
        jwks_url = await stack.enter_async_context(published_keys(issuer))
        variables = environment(store_url, jwks_url, issuer, provider) | GAME
        settings = load_settings(variables | {"PORT": str(port)})
        # On a slow machine a request may be on its way when an idle connection is closed.
        app = App(settings, keep_alive_seconds=KEEP_ALIVE_SECONDS, timings=PATIENT)
        wait_for_issuer(app)
        routes = DevRoutes(
            issuer=issuer,
            provider=provider,
            find_invoice=app.use_cases.billing.invoice,
            webhook_url=url + WEBHOOK,
        )
        routes.add_to(app.web)
        stack.push_async_callback(app.stop)
        yield await app.start()
