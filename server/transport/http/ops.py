"""`/ops`: what the operators see and do."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from protocol import operator_views
from protocol.errors import ErrorCode, Refused
from protocol.operators import Role, may
from server.runtime.log_context import bind_ids
from server.transport.http.pages import Pages
from server.transport.http.requests import json_response, read_payload
from server.transport.operator_check import KnownOperator, OperatorCheck
from server.transport.problems import problem

Figures = Callable[[], Awaitable[Mapping[str, Mapping[str, float]]]]
Answer = BaseModel | Mapping[str, Any]
R = TypeVar("R", bound=BaseModel)
_FRAMED = "frame-ancestors "


@dataclass(frozen=True, slots=True)
class OpsCommand(Generic[R]):
    """`POST /ops/api/<name>`: the `model` of its body, the `least` role that may do it, and what it
    does for the operator of that name: the answer, or why it is refused."""

    model: type[R]
    least: Role
    handler: Callable[[str, R], Awaitable[Answer | Refused]]


@dataclass(frozen=True, slots=True)
class OpsLook:
    """`GET /ops/api/<path>`: the `least` role that may look, and the answer to a request."""

    least: Role
    handler: Callable[[web.Request], Awaitable[Answer | Refused]]


class OpsRoutes:
    """The operators' page, the `figures` of the nodes that it shows, and all that the page, or
    anybody with a token, may ask for.

    More commands are added by one line of the composition (`server.assembly.operating`): a command
    named `payouts/approve` is `POST /ops/api/payouts/approve`, and its `least` role keeps it from
    those before it:

        commands["payouts/approve"] = OpsCommand(ApprovePayout, "cashier", payouts.approve)

    Its handler gets the operator's name and the body as the model has read it. What it changed it
    writes down itself, with `Operators.record`.
    """

    def __init__(
        self,
        pages: Pages,
        figures: Figures,
        check: OperatorCheck,
        commands: Mapping[str, OpsCommand[Any]],
        looks: Mapping[str, OpsLook],
    ) -> None:
        self._pages = pages
        self._figures = figures
        self._check = check
        self._commands = commands
        self._looks = looks

    def add_to(self, app: web.Application) -> None:
        """Serve the routes on `app`."""
        app.router.add_get("/ops", self._page)
        app.router.add_get("/ops/nodes", self._nodes)
        app.router.add_get("/ops/api/me", self._me)
        for name, command in self._commands.items():
            app.router.add_post(f"/ops/api/{name}", self._carrying_out(command))
        for path, look in self._looks.items():
            app.router.add_get(f"/ops/api/{path}", self._looking(look))

    async def _page(self, request: web.Request) -> web.Response:
        operator = self._check.operator(request)
        if isinstance(operator, Refused):
            return _refusal(operator)
        page = self._pages.answer("ops/index.html", request)
        policy = page.headers["Content-Security-Policy"]
        page.headers["Content-Security-Policy"] = "; ".join(
            f"{_FRAMED}'none'" if part.startswith(_FRAMED) else part for part in policy.split("; ")
        )
        return page

    async def _nodes(self, request: web.Request) -> web.Response:
        operator = self._check.operator(request)
        if isinstance(operator, Refused):
            return _refusal(operator)
        return _json(await self._figures())

    async def _me(self, request: web.Request) -> web.Response:
        operator = self._check.operator(request)
        if isinstance(operator, Refused):
            return _refusal(operator)
        actions = [name for name, each in self._commands.items() if may(operator.role, each.least)]
        return _json(
            operator_views.Operator(name=operator.name, role=operator.role, actions=actions)
        )

    def _looking(self, look: OpsLook) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            operator = self._check.operator(request, look.least)
            answer = operator if isinstance(operator, Refused) else await look.handler(request)
            return _refusal(answer) if isinstance(answer, Refused) else _json(answer)

        return handle

    def _carrying_out(
        self, command: OpsCommand[Any]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            operator = self._check.operator(request, command.least)
            answer: Answer | Refused = (
                operator
                if isinstance(operator, Refused)
                else await _carry_out(command, operator, request)
            )
            return _refusal(answer) if isinstance(answer, Refused) else _json(answer)

        return handle


async def _carry_out(
    command: OpsCommand[Any], operator: KnownOperator, request: web.Request
) -> Answer | Refused:
    bind_ids(operator=operator.name)
    payload = await read_payload(request)
    if isinstance(payload, Refused):
        return payload
    try:
        body = command.model.model_validate(payload)
    except ValidationError:
        return Refused(ErrorCode.INVALID_MESSAGE)
    return await command.handler(operator.name, body)


def _json(answer: Answer) -> web.Response:
    body = answer.model_dump() if isinstance(answer, BaseModel) else answer
    response = json_response(body)
    response.headers["Cache-Control"] = "no-store"
    return response


def _refusal(refused: Refused) -> web.Response:
    reason = (refused.details or {}).get("reason")  # for operators, who are shown why
    response = problem(refused, reason if isinstance(reason, str) else None)
    if refused.code is ErrorCode.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = (
            'Basic realm="Fair Bingo operations", charset="UTF-8"'
        )
    return response
