"""What operators may ask for over HTTP, by name."""

from collections.abc import Mapping
from typing import Any

import structlog
from aiohttp import web

from protocol import operators
from protocol.errors import Refused
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

    return {"log": OpsLook("viewer", history)}


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
