"""Players who join and pay while servers and the store crash; what was acknowledged is
remembered."""

import asyncio
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import redis

from protocol.payments import SIGNATURE_HEADER
from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from tests.system.game_server import WEBHOOK

_ANSWER_SECONDS = 15
_AGAIN_SECONDS = 0.05


class TornStore:
    """A store whose crash may take along everything that nobody has seen acknowledged.

    SIGKILL alone loses nothing: what was written is in the kernel's memory and reaches the disk. A
    power cut loses what was written and not synced. With `appendfsync always` the store answers
    only after the sync, so whatever had an answer lies in the file before its size at that moment.
    So `seen` is called with each answer, and a crash cuts the file anywhere behind the largest
    size seen, in the middle of an entry too (the store loads a file that ends so: its default,
    `aof-load-truncated yes`). An answer that was on its way when the store was killed may come
    from before or after the cut: it counts as not seen, and the question is asked again.
    """

    def __init__(self, store: EmbeddedStore) -> None:
        self.store = store
        self.crashes = 0
        self._synced_bytes = 0
        # A rewrite of the file, which begins at 64 MB, would go on in another one.
        store.options += ["--auto-aof-rewrite-percentage", "0"]
        with redis.Redis.from_url(store.url) as client:
            client.config_set("auto-aof-rewrite-percentage", 0)  # it is running already

    def seen(self) -> None:
        """Something was acknowledged: all that is in the file now must survive."""
        self._synced_bytes = max(self._synced_bytes, self._log().stat().st_size)

    def crash(self) -> int:
        """Kill the store, cut its file, and start it again. How many bytes were cut off."""
        self.store.kill()
        self.crashes += 1
        log = self._log()
        written = log.stat().st_size
        kept = random.randint(self._synced_bytes, written)
        with log.open("r+b") as file:
            file.truncate(kept)
        self.store.start()
        return written - kept

    def _log(self) -> Path:
        (log,) = self.store.data_dir.glob("appendonlydir/*.incr.aof")
        return log


@dataclass
class Cashiers:
    """Plays the players and the payment provider towards the servers at `urls`. What was
    acknowledged, in the end everything, is in `acknowledged`: payloads by transaction."""

    urls: Sequence[str]
    issuer: DevIssuer
    provider: DevProvider
    torn: TornStore
    acknowledged: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    repeats: int = 0
    stopping: bool = False

    async def work(self, number: int) -> None:
        """One after the other, new players join and pay, until `stopping`."""
        limits = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
        async with aiohttp.ClientSession(timeout=limits) as http:
            customer = 0
            while not self.stopping:
                customer += 1
                await self._serve(http, f"player-{number}-{customer}")

    async def _serve(self, http: aiohttp.ClientSession, name: str) -> None:
        joined = await self._insist(
            http,
            "/api/game/join",
            json.dumps({"buy_in_amount": 3500}).encode(),
            {"Authorization": f"Bearer {self.issuer.token(name)}"},
        )
        for payload in self._payloads(joined["invoice"]):
            await self._deliver(http, payload)
            if random.random() < 0.2:
                answer = await self._deliver(http, payload)
                assert answer["reason"] == "already_processed", answer

    def _payloads(self, invoice: Mapping[str, Any]) -> list[dict[str, Any]]:
        paid = self.provider.payload(invoice)
        chance = random.random()
        if chance < 0.1:
            return [paid | {"amount": "3000"}]
        if chance < 0.2:
            return [self.provider.payload(invoice, "failed"), paid]
        if chance < 0.3:
            return [paid, self.provider.payload(invoice)]
        return [paid]

    async def _deliver(self, http: aiohttp.ClientSession, payload: Mapping[str, Any]) -> Any:
        body = json.dumps(payload).encode()
        answer = await self._insist(
            http, WEBHOOK, body, {SIGNATURE_HEADER: self.provider.sign(body)}
        )
        self.acknowledged[payload["txHash"]] = payload
        return answer

    async def _insist(
        self, http: aiohttp.ClientSession, path: str, body: bytes, headers: Mapping[str, str]
    ) -> Any:
        """POST to one server or the other until the answer is 200."""
        while True:
            url, crashes = random.choice(self.urls) + path, self.torn.crashes
            try:
                async with http.post(url, data=body, headers=headers) as answer:
                    answered = await answer.json()
            except (aiohttp.ClientError, TimeoutError, OSError):
                answer = None
            status = None if answer is None else answer.status
            assert status in (None, 200, 503), answered
            if status == 200 and crashes == self.torn.crashes:
                self.torn.seen()
                return answered
            self.repeats += 1
            await asyncio.sleep(_AGAIN_SECONDS)
