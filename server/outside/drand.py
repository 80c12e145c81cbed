"""A public beacon by the HTTP API of drand (v1): its chain, and the signatures of its rounds."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeGuard, TypeVar

import orjson
import structlog
from yarl import URL

from server.outside.http_client import FAILURES, HttpClient, check_status, described, read_body
from server.rules.beacon import QUICKNET, SCHEME, Chain, verifies
from server.runtime.tasks import end

ANSWER_SECONDS: Final = 5.0
"""A relay may hold the request for the round that comes next until it is there."""
ANSWER_MAX_BYTES: Final = 16 * 1024
RETRY_SECONDS: Final = 1.0
CLOCK_SECONDS: Final = 60.0
"""How often the beacon's clock is looked at."""
AHEAD_TOLERATED_MS: Final = 500
_KEPT: Final = 256

T = TypeVar("T")

log = structlog.get_logger(__name__)


class BeaconContradicts(Exception):
    """The beacon is not the one of the settings. The text is one line for the operator."""


class Drand:
    """The chain of that hash (hex) under that public key (hex), by whichever of the `urls` answers
    first. They are not trusted: what they say is checked against what is known.

    `now_ms` is the clock of the games (Unix ms), which the beacon's is compared with.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        chain_hash: str,
        public_key: str,
        now_ms: Callable[[], float],
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._urls = [url.rstrip("/") for url in urls]
        self._wanted = (chain_hash, public_key)
        self._now_ms = now_ms
        self._answer_seconds = answer_seconds
        self._client = HttpClient(urls)
        self._kept: OrderedDict[tuple[str, int], str] = OrderedDict()
        self._following: asyncio.Task[None] | None = None
        is_quicknet = self._wanted == (QUICKNET.chain_hash, QUICKNET.public_key)
        self.chain: Chain | None = QUICKNET if is_quicknet else None
        """The chain, once its times are known."""
        self.ahead_ms = 0.0
        """By how much the beacon was ahead of the clock of the games when that was last looked at.
        If it is, that clock is behind, and who sits in a game may know its round too early."""

    async def start(self) -> None:
        """Get to know the chain, if it can be had now, and stay in touch.

        Raises BeaconContradicts if whoever answers has another chain.
        """
        found = await self._all(self._info_of)
        chains = [info for info in found if isinstance(info, Chain)]
        if found and not chains:
            await self.close()
            raise BeaconContradicts(f"BEACON_URL: {found[0]}")
        if not found:
            log.warning("beacon_unreachable")
        self.chain = chains[0] if chains else self.chain
        self._following = asyncio.create_task(self._follow(), name="beacon")

    async def close(self) -> None:
        """End what is under way. Safe to repeat."""
        await end(self._following)
        await self._client.close()

    async def signature(self, chain: Chain, round: int) -> str | None:
        """The signature (hex) of a round of a chain, verified under its public key; None if nobody
        has it yet, or says anything else."""
        key = chain.chain_hash, round
        if key not in self._kept:

            async def ask(url: str) -> str | None:
                found = await self._round(url, chain, str(round))
                return None if found is None else found[1]

            signature = await self._first(ask)
            if signature is not None:
                self._keep(key, signature)
        return self._kept.get(key)

    def _keep(self, key: tuple[str, int], signature: str) -> None:
        self._kept[key] = signature
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)

    async def _follow(self) -> None:
        """Look for the chain until it is known, then at its clock from time to time."""
        while True:
            try:
                if self.chain is None:
                    await self._find_chain()
                if self.chain is not None:
                    await self._compare_clocks(self.chain)
            except Exception:
                # The task must not end: nothing would start it again.
                log.exception("beacon_failed")
            await asyncio.sleep(RETRY_SECONDS if self.chain is None else CLOCK_SECONDS)

    async def _find_chain(self) -> None:
        found = await self._all(self._info_of)
        chains = [info for info in found if isinstance(info, Chain)]
        self.chain = chains[0] if chains else None
        if found and not chains:
            log.error("beacon_contradicts", error=found[0])

    async def _compare_clocks(self, chain: Chain) -> None:
        async def ask(url: str) -> int | None:
            found = await self._round(url, chain, "latest")
            return None if found is None else found[0]

        rounds = await self._all(ask)
        if rounds:
            self.ahead_ms = chain.time_ms(max(rounds)) - self._now_ms()
            if self.ahead_ms > AHEAD_TOLERATED_MS:
                log.error("beacon_ahead_of_store_clock", seconds=round(self.ahead_ms / 1000, 3))

    async def _first(self, ask: Callable[[str], Awaitable[T | None]]) -> T | None:
        """What the URL answers that is the first to have an answer."""
        tasks = [asyncio.create_task(self._ask(url, ask)) for url in self._urls]
        try:
            for answer in asyncio.as_completed(tasks):
                found = await answer
                if found is not None:
                    return found
            return None
        finally:
            for task in tasks:
                task.cancel()

    async def _all(self, ask: Callable[[str], Awaitable[T | None]]) -> list[T]:
        """What those URLs answer that have an answer."""
        answers = await asyncio.gather(*(self._ask(url, ask) for url in self._urls))
        return [answer for answer in answers if answer is not None]

    async def _ask(self, url: str, ask: Callable[[str], Awaitable[T | None]]) -> T | None:
        try:
            async with asyncio.timeout(self._answer_seconds):
                return await ask(url)
        except FAILURES as error:
            log.warning("beacon_answer_unusable", host=URL(url).host, error=described(error))
            return None

    async def _info_of(self, url: str) -> Chain | str | None:
        """The chain that a URL has, or how it contradicts the one that is wanted."""
        chain_hash, public_key = self._wanted
        info = await self._get(f"{url}/{chain_hash}/info")
        if info is None:
            return None
        if _lower(info.get("hash", chain_hash)) != chain_hash:
            return "its info is of another chain than BEACON_CHAIN_HASH"
        if _lower(info.get("public_key")) != public_key:
            return "its info has another key than BEACON_PUBLIC_KEY"
        if info.get("schemeID", SCHEME) != SCHEME:
            return f"its scheme is not {SCHEME}"
        period, genesis = info.get("period"), info.get("genesis_time")
        if not (_is_seconds(period) and _is_seconds(genesis)):
            raise ValueError("its info has no period and genesis_time")
        chain = Chain(chain_hash, public_key, round(genesis * 1000), round(period * 1000))
        if self.chain is not None and chain != self.chain:
            return "its info has other times than the chain of that hash"
        return chain

    async def _round(self, url: str, chain: Chain, name: str) -> tuple[int, str] | None:
        """The number and the signature of a round, if it is there."""
        answer = await self._get(f"{url}/{chain.chain_hash}/public/{name}")
        if answer is None:
            return None
        number, signature = answer.get("round"), answer.get("signature")
        if not _is_count(number) or name not in ("latest", str(number)):
            raise ValueError("it is another round")
        if not (
            isinstance(signature, str) and verifies(chain.public_key, number, signature.lower())
        ):
            raise ValueError("its signature does not verify")
        return number, signature.lower()

    async def _get(self, url: str) -> dict[str, Any] | None:
        """The JSON object at that URL; None if it is not there, or not yet."""
        async with self._client.request("GET", URL(url)) as response:
            if response.status in (404, 425):
                return None
            check_status(response)
            answer = orjson.loads(await read_body(response, ANSWER_MAX_BYTES))
        if not isinstance(answer, dict):
            raise ValueError("the answer is no JSON object")
        return answer


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53


def _is_seconds(value: object) -> TypeGuard[float]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0.001 <= value < 2**40


def _lower(text: object) -> object:
    return text.lower() if isinstance(text, str) else text
