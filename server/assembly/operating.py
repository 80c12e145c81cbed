"""What operators may ask for over HTTP, by name."""

import re
from collections.abc import Mapping
from typing import Any

import structlog
from aiohttp import web

from protocol import operators
from protocol.errors import ErrorCode, Refused
from protocol.ids import ALIEN_ID_PATTERN
from protocol.operators import ActionDone, OperatorLogView, OperatorRequest
from server.assembly.use_cases import UseCases
from server.store.errors import StoreUnavailable
from server.transport.http.ops import OpsCommand, OpsLook

log = structlog.get_logger(__name__)


def ops_commands(use_cases: UseCases) -> dict[str, OpsCommand[Any]]:
    """The commands of `POST /ops/api/<name>`."""
    return {
        name: OpsCommand(model, operators.MAY[name], _carrying_out(use_cases, name))
        for name, model in operators.REQUESTS.items()
    }


def ops_looks(use_cases: UseCases) -> Mapping[str, OpsLook]:
    """What `GET /ops/api/<path>` shows."""

    async def history(_request: web.Request) -> OperatorLogView:
        return await use_cases.operator_history.read()

    looks = use_cases.operator_looks

    async def lobby(request: web.Request) -> operators.LobbyLook | Refused:
        return await looks.lobby(request.match_info["lobby_id"])

    async def player(request: web.Request) -> operators.PlayerLook | Refused:
        alien_id = request.match_info["alien_id"]
        if not re.fullmatch(ALIEN_ID_PATTERN, alien_id):
            return Refused(ErrorCode.INVALID_MESSAGE)
        return await looks.player(alien_id)

    async def orders(_request: web.Request) -> operators.OrdersLook:
        return await looks.orders()

    return {
        "log": OpsLook("viewer", history),
        "orders": OpsLook("viewer", orders),
        "lobbies/{lobby_id}": OpsLook("viewer", lobby),
        "players/{alien_id}": OpsLook("viewer", player),
    }


def _carrying_out(use_cases: UseCases, name: str) -> Any:
    async def carry_out(by: str, request: OperatorRequest) -> ActionDone | Refused:
        done = await use_cases.operators.carry_out(by, request)
        if isinstance(done, Refused):
            return done
        try:  # so that this server shows it when it has answered
            await use_cases.operator_watch.catch_up()
        except StoreUnavailable as error:
            log.warning("operator_watch_without_store", error=str(error))
        return ActionDone(action=name, changed=done)

    return carry_out
