"""How many payouts a second one worker makes, against a service that answers in 20 ms.

    python -m tests.bench.payouts [--payouts N] [--settled N]

The worker, PostgreSQL and the store do all that they do in production, in this process and on this
machine; `--settled` payouts lie in the books before.
"""

import argparse
import asyncio
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import psycopg
from aiohttp import web

from server.assembly.books import BooksSide
from server.assembly.stores import Stores
from server.books.migrate import migrate
from server.dev.books import EmbeddedBooks
from server.dev.store import EmbeddedStore
from server.outside.payout_service import PayoutService
from server.runtime import logs
from server.runtime.clock import StoreClock
from server.runtime.metrics import Metrics
from server.runtime.settings import load_settings
from tests.support.game import SETTINGS
from tests.support.payouts import serving
from tests.support.wait import until

ANSWER_SECONDS: Final = 0.02
AT_ONCE: Final = 16
_SETTLED = """
INSERT INTO payouts (payout_id, entry_id, table_name, kind, alien_id, amount, owed_at, status,
                     reference, next_at)
SELECT 'po_1_' || n || '-0', '1:' || n || '-0', '1', 'payout', 'p', 1, now(), 'settled', 'r', null
FROM generate_series(1, %s) AS n
"""
_DUE = """
INSERT INTO payouts (payout_id, entry_id, table_name, kind, alien_id, amount, owed_at)
SELECT 'po_3500_' || n || '-0', '3500:' || n || '-0', '3500', 'payout', 'p' || n, 7000, now()
FROM generate_series(1, %s) AS n
"""


async def _answer(request: web.Request) -> web.Response:
    await request.read()
    await asyncio.sleep(ANSWER_SECONDS)
    return web.json_response({"status": "sent", "reference": "r"})


async def _measure(store_url: str, books_url: str, payouts: int, settled: int) -> None:
    await migrate(books_url)
    with psycopg.connect(books_url, autocommit=True) as connection:
        connection.execute(_SETTLED, (settled,))
        connection.execute(_DUE, (payouts,))
        connection.execute("VACUUM ANALYZE payouts")
    application = web.Application()
    application.router.add_post("/", _answer)
    async with serving(application) as url:
        environment = {"REDIS_URL": store_url, "DATABASE_URL": books_url, "PAYOUT_URL": url + "/"}
        settings = load_settings({**SETTINGS, **environment, "PAYOUTS_AT_ONCE": str(AT_ONCE)})
        clock = StoreClock()
        stores = Stores(settings, clock, Metrics())
        await stores.wait_until_usable()
        side = BooksSide(books_url, settings, stores, clock)
        service = PayoutService(url + "/", bytes(32), 10, AT_ONCE)
        stop = asyncio.Event()
        started_s = time.monotonic()
        running = asyncio.create_task(side.payout_worker(service).run(stop))

        async def all_paid() -> bool:
            return not (await side.payout_desk.survey()).counts

        await until(all_paid, timeout_seconds=3600)
        seconds = time.monotonic() - started_s
        stop.set()
        await running
        print(f"{payouts / seconds:.0f} payouts a second, {settled} settled ones before")  # noqa: T201
        await service.close()
        await side.close()
        await stores.close()


def main() -> None:
    """Run it once."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--payouts", type=int, default=3_000)
    parser.add_argument("--settled", type=int, default=0)
    given = parser.parse_args()
    logs.configure("warning", "console")
    with TemporaryDirectory() as directory:
        store = EmbeddedStore(Path(directory) / "store")
        books = EmbeddedBooks(Path(directory) / "books")
        with store, books:
            asyncio.run(_measure(store.url, books.url, given.payouts, given.settled))


if __name__ == "__main__":
    main()
