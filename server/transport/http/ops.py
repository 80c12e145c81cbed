"""`GET /ops`: a look at all nodes for the operator, who may only look."""

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from protocol.errors import ErrorCode, Refused
from server.transport.headers import credentials
from server.transport.http.pages import Pages
from server.transport.problems import problem

Figures = Callable[[], Awaitable[Mapping[str, Mapping[str, float]]]]


class OpsRoutes:
    """The operator's page, and the `figures` of the nodes that it shows.

    A browser asks for `token` as the password; the user name is of no matter. None: everyone may
    look.
    """

    def __init__(self, pages: Pages, figures: Figures, token: str | None) -> None:
        self._pages = pages
        self._figures = figures
        self._token = token

    def add_to(self, app: web.Application) -> None:
        """Serve the routes on `app`."""
        app.router.add_get("/ops", self._page)
        app.router.add_get("/ops/nodes", self._nodes)

    async def _page(self, request: web.Request) -> web.Response:
        if not self._may_look(request):
            return _ask_for_token()
        return self._pages.answer("ops/index.html", request)

    async def _nodes(self, request: web.Request) -> web.Response:
        if not self._may_look(request):
            return _ask_for_token()
        return web.json_response(await self._figures(), headers={"Cache-Control": "no-store"})

    def _may_look(self, request: web.Request) -> bool:
        if self._token is None:
            return True
        given = _password(request)
        return hmac.compare_digest(given.encode(), self._token.encode())


def _password(request: web.Request) -> str:
    """The password of HTTP's basic authentication (RFC 7617); empty if there is none."""
    try:
        given = base64.b64decode(credentials(request, "basic") or "", validate=True)
        return given.decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def _ask_for_token() -> web.Response:
    response = problem(Refused(ErrorCode.UNAUTHORIZED))
    response.headers["WWW-Authenticate"] = 'Basic realm="Fair Bingo operations", charset="UTF-8"'
    return response
