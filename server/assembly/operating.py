"""What operators may ask for over HTTP, by name."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import structlog
from aiohttp import web

from protocol import operator_views, operators
from protocol.errors import ErrorCode, Refused
from protocol.ids import ALIEN_ID_PATTERN
from protocol.operator_views import ActionDone, OperatorLogView, PayoutList, PayoutView
from protocol.operators import ActionRequest, OperatorRequest
from server.assembly.use_cases import UseCases
from server.services.payout_fields import payout_fields
from server.store.errors import StoreUnavailable
from server.transport.http.ops import OpsCommand, OpsLook

if TYPE_CHECKING:  # without the extra `books` it cannot be imported
    from server.books.payouts import Payout
    from server.services.payout_desk import NotDone, PayoutDesk

log = structlog.get_logger(__name__)


def ops_commands(use_cases: UseCases) -> dict[str, OpsCommand[Any]]:
    """The commands of `POST /ops/api/<name>`."""
    return {
        name: OpsCommand(action.request, action.least, _carrying_out(use_cases, name))
        for name, action in operators.ACTIONS.items()
    }


def ops_looks(use_cases: UseCases, desk: "PayoutDesk | None") -> Mapping[str, OpsLook]:
    """What `GET /ops/api/<path>` shows."""

    async def history(_request: web.Request) -> OperatorLogView:
        return await use_cases.operator_history.read()

    looks = use_cases.operator_looks

    async def lobby(request: web.Request) -> operator_views.LobbyLook | Refused:
        found = await looks.lobby(request.match_info["lobby_id"])
        if isinstance(found, Refused) or desk is None:
            return found
        try:
            payouts = [
                PayoutView(**payout_fields(payout))
                for payout in await desk.of_lobby(found.lobby_id)
            ]
        except StoreUnavailable as error:  # the rest is shown all the same
            log.warning("payouts_not_looked_up", error=str(error))
            return found
        return found.model_copy(update={"payouts": payouts})

    async def player(request: web.Request) -> operator_views.PlayerLook | Refused:
        alien_id = request.match_info["alien_id"]
        if not re.fullmatch(ALIEN_ID_PATTERN, alien_id):
            return Refused(ErrorCode.INVALID_MESSAGE)
        return await looks.player(alien_id)

    async def orders(_request: web.Request) -> operator_views.OrdersLook:
        return await looks.orders()

    return {
        "log": OpsLook("viewer", history),
        "orders": OpsLook("viewer", orders),
        "lobbies/{lobby_id}": OpsLook("viewer", lobby),
        "players/{alien_id}": OpsLook("viewer", player),
    }


def _carrying_out(use_cases: UseCases, name: str) -> Any:
    async def carry_out(by: str, request: ActionRequest) -> ActionDone | Refused:
        done = await use_cases.operators.carry_out(by, request)
        if isinstance(done, Refused):
            return done
        try:  # so that this server shows it too once it has answered
            await use_cases.operator_watch.catch_up()
        except StoreUnavailable as error:
            log.warning("operator_watch_without_store", error=str(error))
        return ActionDone(action=name, changed=done)

    return carry_out


def payout_commands(desk: "PayoutDesk | None") -> dict[str, OpsCommand[Any]]:
    """The commands of `POST /ops/api/payouts/<name>`; without books they are not offered."""

    async def listed(_by: str, request: operators.ListPayouts) -> PayoutList | Refused:
        if desk is None:
            return Refused(ErrorCode.NOT_OFFERED)
        found = [
            PayoutView(**payout_fields(payout))
            for payout in await desk.page(request.status, request.after)
        ]
        return PayoutList(payouts=found)

    def changing(
        name: str, work: Callable[["PayoutDesk", str, Any], Awaitable["Payout | NotDone | None"]]
    ) -> Callable[[str, Any], Awaitable[ActionDone | Refused]]:
        async def change(by: str, request: Any) -> ActionDone | Refused:
            if desk is None:
                return Refused(ErrorCode.NOT_OFFERED)
            done = await work(desk, by, request)
            if done is None or hasattr(done, "standing"):
                return ActionDone(action=f"payouts/{name}", changed=True)
            if done.already:
                return ActionDone(action=f"payouts/{name}", changed=False)
            code = ErrorCode.INVALID_MESSAGE if done.unknown else ErrorCode.WRONG_STATUS
            return Refused(code, {"reason": done.reason})

        return change

    cashier: Final = "cashier"
    of_one, of_all = operators.OnePayout, operators.AllPayouts
    works: Mapping[str, tuple[type[OperatorRequest], Any]] = {
        "retry": (of_one, lambda desk, by, r: desk.retry(r.payout_id, by, r.reason)),
        "approve": (of_one, lambda desk, by, r: desk.approve(r.payout_id, by, r.reason)),
        "refuse": (
            operators.RefusePayout,
            lambda desk, by, r: desk.refuse(r.payout_id, r.reason, by),
        ),
        "pause": (of_all, lambda desk, by, r: desk.pause(by, r.reason)),
        "resume": (of_all, lambda desk, by, r: desk.resume(by, r.reason)),
    }
    commands: dict[str, OpsCommand[Any]] = {
        f"payouts/{name}": OpsCommand(model, cashier, changing(name, work))
        for name, (model, work) in works.items()
    }
    return commands | {"payouts/list": OpsCommand(operators.ListPayouts, cashier, listed)}
