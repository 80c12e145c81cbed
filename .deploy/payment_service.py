"""An operator's payment service: what `fair-bingo payouts` asks, it pays, each once.

    PAYOUT_PUBLIC_KEY=<hex> python payment_service.py    # then PAYOUT_URL=http://127.0.0.1:9000/

Replace `pay`. It must be safe to call again with the same payout_id after a crash.
"""

import asyncio
import json
import os
import sqlite3

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

KEY = Ed25519PublicKey.from_public_bytes(bytes.fromhex(os.environ["PAYOUT_PUBLIC_KEY"]))
STORE = sqlite3.connect(os.environ.get("PAYOUTS_FILE", "payouts.sqlite"), isolation_level=None)
STORE.execute("PRAGMA synchronous = FULL")
STORE.execute("CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, body TEXT, reference TEXT)")


async def pay(order: dict[str, str]) -> str:
    """Move the coins, and return the transaction that did."""
    return f"example-{order['payout_id']}"


async def keep_paying(app: web.Application) -> None:
    while True:  # what a crash has interrupted is paid after the next start
        for key, body in STORE.execute("SELECT id, body FROM orders WHERE reference IS NULL"):
            reference = await pay(json.loads(body))
            STORE.execute("UPDATE orders SET reference = ? WHERE id = ?", (reference, key))
        await asyncio.sleep(0.1)


def check(request: web.Request, message: bytes) -> None:
    try:
        KEY.verify(bytes.fromhex(request.headers.get("X-Payout-Signature", "")), message)
    except (InvalidSignature, ValueError):
        raise web.HTTPUnauthorized from None


def state(key: str) -> web.Response:
    row = STORE.execute("SELECT reference FROM orders WHERE id = ?", (key,)).fetchone()
    if row is None:
        raise web.HTTPNotFound
    return web.json_response(
        {"status": "sent", "reference": row[0]} if row[0] else {"status": "pending"}
    )


async def take(request: web.Request) -> web.Response:
    body = await request.read()
    check(request, body)
    key = json.loads(body)["payout_id"]  # stored before it is answered, and once
    STORE.execute("INSERT OR IGNORE INTO orders (id, body) VALUES (?, ?)", (key, body.decode()))
    return state(key)


async def look(request: web.Request) -> web.Response:
    key = request.match_info["payout_id"]
    check(request, key.encode())
    return state(key)


async def start(app: web.Application) -> None:
    app["paying"] = asyncio.create_task(keep_paying(app))


if __name__ == "__main__":
    service = web.Application()
    service.add_routes([web.post("/", take), web.get("/{payout_id}", look)])
    service.on_startup.append(start)
    web.run_app(service, host="127.0.0.1", port=int(os.environ.get("PORT", "9000")))
