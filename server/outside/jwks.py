"""The issuer's keys (JWKS), fetched when needed and kept."""

import asyncio
import contextvars

import structlog
from jwt import PyJWK
from yarl import URL

from protocol.errors import ErrorCode, Refused
from server.outside.http_client import FAILURES, HttpClient, check_status, described, read_body
from server.outside.jwk import KeySet, read_key_set
from server.runtime.tasks import end

FETCH_SECONDS = 5.0
FIRST_FETCH_INTERVAL_SECONDS = 1.0
DOCUMENT_MAX_BYTES = 256 * 1024

log = structlog.get_logger(__name__)


class Jwks:
    """The keys that the issuer publishes at `url`.

    The first one who asks causes the first fetch. From then on the keys are fetched again every
    `ttl_seconds` in the background, so a key that the issuer withdraws is gone soon after, and
    nobody who brings a known `kid` ever waits.

    A document with at least one usable key replaces all keys that were known. Anything else (no
    answer within 5 s, an HTTP error, more than 256 KiB, no JWKS, no usable key in it) takes
    nothing away: the known keys stay in use, and the fetch is repeated after `cooldown_seconds`.

    There is never more than one fetch at a time.
    """

    def __init__(
        self,
        *,
        url: str,
        ttl_seconds: float,
        cooldown_seconds: float,
        fetch_seconds: float = FETCH_SECONDS,
    ) -> None:
        self._url = URL(url)
        self._ttl_seconds = ttl_seconds
        self._cooldown_seconds = cooldown_seconds
        self._fetch_seconds = fetch_seconds
        self._client = HttpClient([url])
        self._keys: KeySet = {}
        self._fetching: asyncio.Task[None] | None = None
        self._next_fetch: asyncio.TimerHandle | None = None
        self._unknown_kid_fetch_not_before_s = float("-inf")  # of the event loop's clock

    async def key(self, kid: str, algorithm: str) -> PyJWK | Refused:
        """The key for a token's `kid` and `alg`: PyJWT's object, whose `Algorithm` verifies.

        An unknown `kid` waits for the fetch under way, or causes one, at most once every
        `cooldown_seconds`; while no key is known at all, at most once a second. It waits no
        longer than a fetch, 5 s. Refused with `unauthorized` when the issuer has no such key,
        and with `unavailable` while no key is known at all.
        """
        if kid not in self._keys:
            await self._look_for_unknown_kid()
        if not self._keys:
            return Refused(ErrorCode.UNAVAILABLE)
        return self._keys.get(kid, {}).get(algorithm) or Refused(ErrorCode.UNAUTHORIZED)

    async def close(self) -> None:
        """Ends a fetch under way and closes the connection to the issuer. Safe to repeat."""
        if self._next_fetch:
            self._next_fetch.cancel()
        await end(self._fetching)
        await self._client.close()

    async def _look_for_unknown_kid(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if not self._is_fetching() and now_s >= self._unknown_kid_fetch_not_before_s:
            interval = self._cooldown_seconds if self._keys else FIRST_FETCH_INTERVAL_SECONDS
            self._unknown_kid_fetch_not_before_s = now_s + interval
            self._start_fetch()
        if self._fetching:
            await asyncio.wait([self._fetching])

    def _is_fetching(self) -> bool:
        return self._fetching is not None and not self._fetching.done()

    def _start_fetch(self) -> None:
        if not self._is_fetching():
            # A fetch serves everyone: what it logs is not of the request that began it.
            self._fetching = asyncio.create_task(
                self._fetch(), name="jwks-fetch", context=contextvars.Context()
            )

    async def _fetch(self) -> None:
        retry_seconds = self._cooldown_seconds
        try:
            async with asyncio.timeout(self._fetch_seconds):
                self._take(read_key_set(await self._download()))
            retry_seconds = self._ttl_seconds
        except FAILURES as error:
            log.warning("jwks_fetch_failed", host=self._url.host, error=described(error))
        if self._keys:
            self._fetch_after(retry_seconds)

    def _take(self, keys: KeySet) -> None:
        if not self._keys:  # the first fetch is none for an unknown `kid`: it starts no cooldown
            self._unknown_kid_fetch_not_before_s = float("-inf")
        self._keys = keys

    def _fetch_after(self, seconds: float) -> None:
        if self._next_fetch:
            self._next_fetch.cancel()
        self._next_fetch = asyncio.get_running_loop().call_later(seconds, self._start_fetch)

    async def _download(self) -> bytes:
        async with self._client.request("GET", self._url) as response:
            check_status(response)
            return await read_body(response, DOCUMENT_MAX_BYTES)
