"""How many payouts a second one worker makes, against a service that answers in 20 ms.

    python -m tests.bench.payouts [--payouts N] [--settled N]

The worker is this process, which with PostgreSQL, the store and the service shares the machine; 16
payouts are made at once. `--settled` payouts are in the books before.
"""

import argparse
import asyncio
import sys
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
CONCURRENCY: Final = 16
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


async def _pay(request: web.Request) -> web.Response:
    await request.read()
    await asyncio.sleep(ANSWER_SECONDS)
    return web.json_response({"status": "sent", "reference": "r"})


async def _measure(store_url: str, books_url: str, payouts: int, settled: int) -> None:
    """Have one worker make so many payouts, beside so many settled ones, and print the rate."""
    await migrate(books_url)
    with psycopg.connect(books_url, autocommit=True) as connection:
        connection.execute(_SETTLED, (settled,))
        connection.execute(_DUE, (payouts,))
        connection.execute("VACUUM ANALYZE payouts")
    application = web.Application()
    application.router.add_post("/", _pay)
    async with serving(application) as url:
        urls = {"REDIS_URL": store_url, "DATABASE_URL": books_url, "PAYOUT_URL": url + "/"}
        settings = load_settings({**SETTINGS, **urls, "PAYOUTS_AT_ONCE": str(CONCURRENCY)})
        clock = StoreClock()
        stores = Stores(settings, clock, Metrics())
        await stores.wait_until_usable()
        side = BooksSide(books_url, settings, stores, clock)
        service = PayoutService(url + "/", bytes(32), 10, CONCURRENCY)
        stop = asyncio.Event()
        begun_s = time.monotonic()
        running = asyncio.create_task(side.payout_worker(service).run(stop))

        async def all_paid() -> bool:
            return not (await side.payout_desk.survey()).counts

        await until(all_paid, timeout_seconds=3600)
        seconds = time.monotonic() - begun_s
        stop.set()
        await running
        rate = payouts / seconds
        sys.stdout.write(f"{rate:.0f} payouts a second, with {settled} settled ones in the books\n")
        await service.close()
        await side.close()
        await stores.close()


def main() -> None:
    """Measure, and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
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
