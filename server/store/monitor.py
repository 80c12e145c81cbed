"""Monitors whether the store may be trusted with payments, on the connection that they use."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import structlog

from server.runtime.tasks import end
from server.store.connection import Ask, Connection
from server.store.errors import StoreUnavailable
from server.store.inspection import Findings, inspect, together
from server.store.permissions import Permission
from server.store.timings import TIMINGS, StoreTimings

LOOK_WHILE_WEAK_SECONDS: Final = 2.0
LOOK_AT_REPLICAS_SECONDS: Final = 5.0

log = structlog.get_logger(__name__)


class StoreMonitor:
    """Inspects the store after each connect, before anything else is sent on the connection, and
    every `timings.inspect_seconds`. With `allow_weak` a store that may lose payments will do.

    `needed` returns what its user has to be permitted; `replicas` is how many are waited for, on
    `others`, the connections beside the first.
    """

    def __init__(
        self,
        connection: Connection,
        needed: Callable[[], Sequence[Permission]],
        *,
        allow_weak: bool,
        replicas: int = 0,
        others: Sequence[Connection] = (),
        timings: StoreTimings = TIMINGS,
    ) -> None:
        self._every_seconds = min(timings.inspect_seconds, LOOK_AT_REPLICAS_SECONDS)
        if not replicas:
            self._every_seconds = timings.inspect_seconds
        self.replicas = replicas
        self._others = others
        self._connection = connection
        self._needed = needed
        self._allow_weak = allow_weak
        self._task: asyncio.Task[None] | None = None
        self._looked_s = 0.0
        self._found: dict[str, Findings] = {}
        self._judged: tuple[Sequence[str], tuple[str, ...]] | None = None

    @property
    def shards(self) -> Mapping[str, Findings]:
        """What the last inspection of each shard found, as far as there was one."""
        found = self._found
        return {name: found[name] for name in self._connection.shards if name in found}

    @property
    def findings(self) -> Findings | None:
        """What the last inspections found, together; None before the first."""
        return together(self.shards)

    @property
    def faults(self) -> tuple[str, ...]:
        """Why, by the last inspection, payments must not be acknowledged. Each payment asks twice,
        so it is found out once for each inspection."""
        shards = tuple(self._connection.shards)
        if self._judged is None or self._judged[0] != shards:
            self._judged = shards, self._faults()
        return self._judged[1]

    def _faults(self) -> tuple[str, ...]:
        findings = self.findings
        if findings is None:
            return ("it was not looked at",)
        return findings.unfit + (() if self._allow_weak else findings.weak)

    @property
    def trusted(self) -> bool:
        """Whether payments may be acknowledged."""
        return not self.faults

    def attach(self) -> None:
        """Inspect the store from now on after each connect."""
        for connection in (self._connection, *self._others):
            connection.look = self._look

    def start(self) -> None:
        """Inspect periodically until `stop`."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End the periodic inspections."""
        await end(self._task)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(min(LOOK_WHILE_WEAK_SECONDS, self._every_seconds))
            if self.trusted and time.monotonic() - self._looked_s < self._every_seconds:
                continue
            try:
                await self._connection.look_again()
            except StoreUnavailable as error:
                log.info("store_not_looked_at", error=str(error))
            except Exception:
                log.exception("store_look_failed")  # a later one may do better

    async def _look(self, shard: str, ask: Ask) -> None:
        before = self._found.get(shard)
        found = await inspect(ask, self._needed(), self.replicas, in_cluster=bool(shard))
        if before is not None and before.weak and not found.weak and found.rewriting:
            # What was written before is in no file as long as the first one is being made.
            found = replace(found, weak=("its append-only file is being made",))
        faults = self.faults
        self._found[shard], self._looked_s = found, time.monotonic()
        self._judged = None
        if before is not None and before.process != found.process:
            self._connection.metrics.failovers.inc()
            log.warning("primary_is_another")
        if before is None or self.faults == faults:
            return  # what the first inspection found is reported at the start of the server
        if self.trusted:
            log.warning("store_strong_again")
        else:
            log.error("store_weak", faults=self.faults, effect="no payment is taken")
