"""All that a game needs, on this machine: the store, an issuer, a payment provider, a beacon, the
server."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
from aiohttp import web

from protocol import payments
from protocol.views import Invoice
from server.assembly.app import App
from server.assembly.tiers import tiers
from server.dev.archive import archiving, embedded_books, migrated
from server.dev.beacon import DevBeacon
from server.dev.bots import Access
from server.dev.issuer import JWKS_PATH, DevIssuer
from server.dev.paying import paying
from server.dev.payout_service import DevPayoutService
from server.dev.ports import free_port
from server.dev.provider import DevProvider
from server.dev.routes import add_dev_routes
from server.dev.store import EmbeddedStore
from server.runtime.settings import Settings, load_settings

DEFAULTS: Final = {
    "HOST": "127.0.0.1",  # anyone who can reach it gets a token of any player, and pays nothing
    "PORT": "8000",
    "LOG_FORMAT": "console",
    "LOG_LEVEL": "warning",
    "ALIEN_PROVIDER_ADDRESS": "00000001000000000000000000000000",
}

HTTP_TIMEOUT_SECONDS: Final = 30


class DevWorld:
    """A server and what it takes to play on it. What it stores, its keys included, is in
    `data_dir`, where the next one finds it. `tiers` are the variant of each buy-in.

    `environ` are settings as for production, and `PORT=0` is a free one; those that tie the parts
    together are given here. With `books` it has some where they can be had, with `beacon` one
    of its own unless the settings name another. Raises SettingsError.
    """

    def __init__(
        self,
        data_dir: Path,
        environ: Mapping[str, str],
        *,
        books: bool = False,
        beacon: bool = False,
    ) -> None:
        self._books_dir = data_dir / "books" if books else None
        keys_dir = data_dir / "keys"
        wanted = DEFAULTS | {name: value for name, value in environ.items() if value}
        self._store = EmbeddedStore(data_dir / "store")
        self._issuer_port = free_port()
        self._beacon = DevBeacon(keys_dir) if beacon and not wanted.get("BEACON_URL") else None
        self.settings = load_settings(
            wanted
            | {
                "PORT": str(free_port()) if wanted["PORT"] == "0" else wanted["PORT"],
                "REDIS_URL": self._store.url,
                "DATABASE_URL": "",  # the past of this store belongs into no other books
                "ALIEN_JWKS_URL": f"http://127.0.0.1:{self._issuer_port}{JWKS_PATH}",
                "WEBHOOK_PUBLIC_KEY": DevProvider(keys_dir).public_key_hex,
                **self._beacon_settings(),
            }
        )
        self.tiers = tiers(self.settings)
        self.url = f"http://{self.settings.host}:{self.settings.port}"
        self._issuer = DevIssuer(
            self.settings.alien_issuer, self.settings.alien_provider_address, keys_dir
        )
        self._payouts = DevPayoutService(keys_dir)
        self._payouts_port = free_port()
        self.payouts_url = f"http://127.0.0.1:{self._payouts_port}"
        self._provider = DevProvider(keys_dir, decimals=self.settings.coin_decimals)
        self.http = httpx.AsyncClient(
            base_url=self.url, trust_env=False, timeout=HTTP_TIMEOUT_SECONDS
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[App]:
        """All of it runs for as long as the context lasts, once. Raises EmbeddedStoreError, and
        OSError if the port cannot be had."""
        async with AsyncExitStack() as stack:
            stack.enter_context(self._store)
            settings = await self._settings_with_books(stack)
            await stack.enter_async_context(_serve(self._outside(), self._issuer_port))
            app = App(settings, offered=self.tiers, dev_login=True)
            self._add_routes(app)
            stack.push_async_callback(app.stop)
            await app.start()
            await stack.enter_async_context(archiving(app))
            await stack.enter_async_context(paying(app, self._payouts, self._payouts_port))
            await stack.enter_async_context(self.http)
            yield app

    async def _settings_with_books(self, stack: AsyncExitStack) -> Settings:
        """The settings, with those books in them that then run as long as the stack lasts."""
        if self._books_dir is None:
            return self.settings
        url = stack.enter_context(embedded_books(self._books_dir))
        if url is None or not await migrated(url):
            return self.settings
        return self.settings.model_copy(update={"database_url": url})

    def _beacon_settings(self) -> Mapping[str, str]:
        if self._beacon is None:
            return {}
        return {
            "BEACON_URL": f"http://127.0.0.1:{self._issuer_port}",
            "BEACON_CHAIN_HASH": self._beacon.chain.chain_hash,
            "BEACON_PUBLIC_KEY": self._beacon.chain.public_key,
        }

    def _outside(self) -> Iterable[web.RouteDef]:
        """What would be other people's servers."""
        yield from self._issuer.routes()
        if self._beacon is not None:
            yield from self._beacon.routes()

    @property
    def access(self) -> Access:
        """What bots need to play."""
        return Access(self.url, self._issuer.token, self._pay)

    def _add_routes(self, app: App) -> None:
        async def find_invoice(invoice_id: str) -> Mapping[str, Any] | None:
            invoice = await app.use_cases.billing.invoice(invoice_id)
            return None if invoice is None else invoice.model_dump()

        add_dev_routes(
            app.web,
            issuer=self._issuer,
            provider=self._provider,
            find_invoice=find_invoice,
            webhook_url=self.url + payments.PATH,
            beacon_keys={self.settings.beacon_chain_hash: self.settings.beacon_public_key},
        )

    async def _pay(self, invoice: Invoice) -> None:
        """Have an invoice paid. Raises httpx.HTTPError if that does not succeed."""
        answer = await self.http.post("/dev/pay", json={"invoice_id": invoice.invoice_id})
        answer.raise_for_status()


@asynccontextmanager
async def _serve(routes: Iterable[web.RouteDef], port: int) -> AsyncIterator[None]:
    application = web.Application()
    application.add_routes(routes)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield
    finally:
        await runner.cleanup()
