"""An operator's payment service: what `fair-bingo payouts` asks, it pays, each once."""

import asyncio
import json
import logging
import os
import sqlite3

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

KEY = Ed25519PublicKey.from_public_bytes(bytes.fromhex(os.environ["PAYOUT_PUBLIC_KEY"]))
STORE = sqlite3.connect(os.environ.get("PAYOUTS_FILE", "payouts.sqlite"), isolation_level=None)
STORE.execute("PRAGMA synchronous = FULL")
STORE.execute("CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, body TEXT, reference TEXT)")
UNPAID = "SELECT id, body FROM orders WHERE reference IS NULL ORDER BY random()"


async def pay(order: dict[str, str]) -> str:
    """Replace it: move the coins, once for each payout_id, and return the transaction that did."""
    return f"example-{order['payout_id']}"


async def keep_paying() -> None:
    while True:  # what failed or was interrupted is tried again, and others have their turn
        try:
            for key, body in STORE.execute(UNPAID).fetchall():
                reference = await pay(json.loads(body))
                STORE.execute("UPDATE orders SET reference = ? WHERE id = ?", (reference, key))
        except Exception:
            logging.exception("Not all is paid")
        await asyncio.sleep(0.5)


async def answer(request: web.Request) -> web.Response:
    body, key = await request.read(), request.match_info.get("payout_id", "")
    try:
        KEY.verify(bytes.fromhex(request.headers["X-Payout-Signature"]), key.encode() or body)
    except (InvalidSignature, LookupError, ValueError):
        raise web.HTTPUnauthorized from None
    if not key:  # an order: stored before it is answered, and once
        key = json.loads(body)["payout_id"]
        STORE.execute("INSERT OR IGNORE INTO orders VALUES (?, ?, NULL)", (key, body.decode()))
    row = STORE.execute("SELECT reference FROM orders WHERE id = ?", (key,)).fetchone()
    if row is None:
        raise web.HTTPNotFound
    return web.json_response({"status": "sent" if row[0] else "pending", "reference": row[0]})


async def service() -> web.Application:
    app = web.Application()
    app.add_routes([web.post("/", answer), web.get("/{payout_id}", answer)])
    app["paying"] = asyncio.create_task(keep_paying())
    return app


# PAYOUT_PUBLIC_KEY=<hex> python payment_service.py, then PAYOUT_URL=http://127.0.0.1:9000/
if __name__ == "__main__":
    web.run_app(service(), host="127.0.0.1", port=int(os.environ.get("PORT", "9000")))
