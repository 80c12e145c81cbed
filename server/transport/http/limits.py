"""`/api/me/limits` and `/api/me/exclusion`: what players set for themselves."""

from decimal import Decimal
from functools import partial

import orjson
from aiohttp import web

from protocol import limits as wire
from protocol.errors import Refused
from protocol.http import iso_time
from server.rules.coins import Coins, coins_text
from server.rules.limits import PERIODS, Limits, Spending
from server.runtime.clock import StoreClock
from server.services.limits import SpendingLimits
from server.transport.commands import parse_request
from server.transport.http.requests import RequestAuthenticator, read_payload
from server.transport.problems import problem


class LimitsRoutes:
    """The routes of a player's own limits."""

    def __init__(
        self, authenticator: RequestAuthenticator, limits: SpendingLimits, clock: StoreClock
    ) -> None:
        self._authenticator = authenticator
        self._limits = limits
        self._clock = clock

    def add_to(self, app: web.Application) -> None:
        """Serve the routes on `app`."""
        app.router.add_get("/api/me/limits", self._show)
        app.router.add_put("/api/me/limits", partial(self._carry_out, wire.LimitsRequest))
        app.router.add_post("/api/me/exclusion", partial(self._carry_out, wire.ExclusionRequest))

    async def _show(self, request: web.Request) -> web.Response:
        alien_id = await self._authenticator.alien_id(request)
        if isinstance(alien_id, Refused):
            return problem(alien_id)
        return self._answer(*await self._limits.of(alien_id))

    async def _carry_out(
        self, model: type[wire.LimitsRequest | wire.ExclusionRequest], request: web.Request
    ) -> web.Response:
        alien_id = await self._authenticator.alien_id(request)
        if isinstance(alien_id, Refused):
            return problem(alien_id)
        payload = await read_payload(request)
        if isinstance(payload, Refused):
            return problem(payload)
        body = parse_request(model, payload, alien_id)
        if isinstance(body, Refused):
            return problem(body)
        if isinstance(body, wire.ExclusionRequest):
            return self._answer(*await self._limits.exclude(alien_id, body.days))
        wanted = {name: getattr(body, name) for name in PERIODS if name in body.model_fields_set}
        return self._answer(*await self._limits.change(alien_id, wanted))

    def _answer(self, limits: Limits, spending: Spending) -> web.Response:
        now_ms = self._clock.now_ms()
        until = limits.excluded_until
        answer = wire.PlayerLimits(
            coins_per_day=limits.coins_per_day,
            coins_per_week=limits.coins_per_week,
            coins_per_month=limits.coins_per_month,
            pending=_pending(limits),
            spent=wire.Spent(
                **{
                    period: _decimal(spending.within(limit, now_ms))
                    for limit, (period, _) in PERIODS.items()
                }
            ),
            excluded_until=None if until is None or until <= now_ms else iso_time(until),
        )
        return web.Response(body=orjson.dumps(answer.model_dump()), content_type="application/json")


def _pending(limits: Limits) -> wire.PendingLimits | None:
    if not limits.pending:
        return None
    pending: wire.PendingLimits = {
        "from": iso_time(min(change.from_ms for change in limits.pending))
    }
    for change in limits.pending:
        pending[change.limit] = change.coins
    return pending


def _decimal(amount: Coins) -> Decimal:
    return Decimal(coins_text(amount))
