"""All that a game needs, on this machine: the store, an issuer, a payment provider, a beacon, the
server."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import httpx
from aiohttp import web

from protocol import payments
from protocol.views import Invoice
from server.assembly.app import App
from server.assembly.tiers import tiers
from server.dev.archive import archiving, embedded_books, migrated
from server.dev.beacon import DevBeacon
from server.dev.bots import Access
from server.dev.http import serving
from server.dev.issuer import JWKS_PATH, DevIssuer
from server.dev.payout_service import DevPayoutService
from server.dev.payouts import paying_out
from server.dev.ports import free_port
from server.dev.provider import DevProvider
from server.dev.routes import DevRoutes
from server.dev.store import EmbeddedStore
from server.runtime.settings import Settings, load_settings
from server.store.timings import PATIENT

DEFAULTS: Final = {
    "HOST": "127.0.0.1",  # whoever can reach it gets tokens of any player, and pays nothing
    "PORT": "8000",
    "LOG_FORMAT": "console",
    "LOG_LEVEL": "warning",
    "ALIEN_PROVIDER_ADDRESS": "00000001000000000000000000000000",
}

HTTP_TIMEOUT_SECONDS: Final = 30


class DevWorld:
    """A game server and all that it needs, not yet running. What they store, keys included, is in
    `data_dir`, where the next run finds it.

    `environ` has settings as in production, with `PORT=0` for a free one; those that tie the parts
    together are replaced. With `books` there are some, if PostgreSQL can be started; with `beacon`
    there is one of development, unless `BEACON_URL` is set. Raises SettingsError.

    `url` is the server's, `tiers` are the variant of each buy-in, `http` is a client of the server
    and `payouts_url` leads to the payment service, while it runs.
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
                "DATABASE_URL": "",  # what this store has to archive belongs in no other books
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
        """Run all of it for as long as the context lasts; it cannot be run twice. Raises
        EmbeddedStoreError, and OSError if a port cannot be had."""
        async with AsyncExitStack() as stack:
            stack.enter_context(self._store)
            settings = await self._settings_with_books(stack)
            await stack.enter_async_context(serving(self._issuer_and_beacon(), self._issuer_port))
            app = App(settings, offered=self.tiers, timings=PATIENT, dev_login=True)
            self._routes(app).add_to(app.web)
            stack.push_async_callback(app.stop)
            await app.start()
            await stack.enter_async_context(archiving(app))
            await stack.enter_async_context(paying_out(app, self._payouts, self._payouts_port))
            await stack.enter_async_context(self.http)
            yield app

    async def _settings_with_books(self, stack: AsyncExitStack) -> Settings:
        """Start the books, which the stack stops: the settings with their URL, or without one if
        there are none."""
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

    def _issuer_and_beacon(self) -> web.Application:
        """The servers of other people, in production, that the game server asks."""
        application = web.Application()
        application.add_routes(self._issuer.routes())
        if self._beacon is not None:
            application.add_routes(self._beacon.routes())
        return application

    @property
    def access(self) -> Access:
        """What bots need to play."""
        return Access(self.url, self._issuer.token, self._pay)

    def _routes(self, app: App) -> DevRoutes:
        return DevRoutes(
            issuer=self._issuer,
            provider=self._provider,
            find_invoice=app.use_cases.billing.invoice,
            webhook_url=self.url + payments.PATH,
            beacon_keys={self.settings.beacon_chain_hash: self.settings.beacon_public_key},
        )

    async def _pay(self, invoice: Invoice) -> None:
        """Have the provider pay an invoice. Raises httpx.HTTPError if the payment is not taken."""
        answer = await self.http.post("/dev/pay", json={"invoice_id": invoice.invoice_id})
        answer.raise_for_status()
