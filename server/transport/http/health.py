"""Health: for the load balancer, the orchestrator, and the operator."""

from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Final, Literal

from aiohttp import web

from protocol.http import Health
from server.store.errors import StoreUnavailable
from server.store.health import ShardState, StoreHealthCheck
from server.transport.http.requests import json_response

Readiness = Literal["ok", "starting", "draining", "degraded"]
VERSION: Final = version("fair-bingo")


class HealthRoutes:
    """The health routes. `readiness` gives whether this process should get traffic."""

    def __init__(self, store: StoreHealthCheck, readiness: Callable[[], Readiness]) -> None:
        self._store = store
        self._readiness = readiness

    def add_to(self, app: web.Application) -> None:
        """Serve the routes on `app`."""
        app.router.add_get("/health", self._health)
        app.router.add_get("/health/live", self._live)
        app.router.add_get("/health/ready", self._ready)
        app.router.add_get("/health/redis", self._redis)

    async def _health(self, _request: web.Request) -> web.Response:
        connected = await self._round_trip_ms() is not None
        health = Health(
            status="healthy" if connected else "unhealthy",
            redis_connected=connected,
            timestamp=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            version=VERSION,
        )
        return json_response(health.model_dump(), 200 if connected else 503)

    async def _live(self, _request: web.Request) -> web.Response:
        return json_response({"status": "ok"})

    async def _ready(self, _request: web.Request) -> web.Response:
        status = self._readiness()
        return json_response({"status": status}, 200 if status == "ok" else 503)

    async def _redis(self, _request: web.Request) -> web.Response:
        shards = [_of_shard(state) for state in await self._store.states()]
        answers = [shard["round_trip_ms"] for shard in shards if shard["status"] == "ok"]
        health = {
            "status": "ok" if answers else "unavailable",
            "round_trip_ms": min(answers, default=None),
            "topology": self._store.kind,
            "shards": shards,
        }
        return json_response(health, 200 if answers else 503)

    async def _round_trip_ms(self) -> float | None:
        try:
            return await self._store.ping()
        except StoreUnavailable:
            return None


def _of_shard(state: ShardState) -> dict[str, Any]:
    round_trip_ms = state.round_trip_ms
    return {
        "address": state.address,
        "status": "unavailable" if round_trip_ms is None else "ok",
        "round_trip_ms": None if round_trip_ms is None else round(round_trip_ms, 3),
    }
