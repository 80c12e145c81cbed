"""`/api`: the game over HTTP, through the same services as the sockets."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import orjson
from aiohttp import web

from protocol import http, ids
from protocol.errors import ErrorCode, Refused
from server.rules.views import own_view, patterns_view, public_view
from server.runtime.clock import StoreClock
from server.services.billing import Billing
from server.services.lobbies import Lobbies
from server.services.play import Play, Won
from server.services.proofs import Proofs
from server.services.seats import Seated, Seats
from server.transport.answers import claim_answer
from server.transport.concurrency import ConcurrencyLimiter
from server.transport.http.requests import RequestAuthenticator, read_request
from server.transport.problems import problem

Answer = web.Response | Refused
Handler = Callable[[web.Request, str], Awaitable[Answer]]

_LOBBY: Final = "/api/game/{lobby_id:[^/]+}"  # by itself aiohttp lets no braces match


def json_response(body: Any, status: int = 200) -> web.Response:
    """A JSON response."""
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")


class GameRoutes:
    """The routes of the game. All but the proof want a player's token."""

    def __init__(
        self,
        *,
        caller: RequestAuthenticator,
        lobbies: Lobbies,
        seats: Seats,
        play: Play,
        billing: Billing,
        proofs: Proofs,
        clock: StoreClock,
        limiter: ConcurrencyLimiter,
    ) -> None:
        self._caller = caller
        self._lobbies = lobbies
        self._seats = seats
        self._play = play
        self._billing = billing
        self._proofs = proofs
        self._clock = clock
        self._limiter = limiter

    def add_to(self, app: web.Application) -> None:
        """Serve the routes on `app`."""
        posts: Mapping[str, Handler] = {
            "/api/game/join": self._join,
            "/api/invoices": self._invoice,
            f"{_LOBBY}/numbers/select": self._select_numbers,
            f"{_LOBBY}/numbers/arrange": self._arrange_grid,
            f"{_LOBBY}/leave": self._leave,
            f"{_LOBBY}/claim": self._claim,
        }
        for path, handler in posts.items():
            app.router.add_post(path, self._for_player(handler))
        app.router.add_get(f"{_LOBBY}/status", self._for_player(self._status))
        app.router.add_get(f"{_LOBBY}/proof", self._proof)

    def _for_player(
        self, handler: Handler
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            answer = await self._answer(handler, request)
            return problem(answer) if isinstance(answer, Refused) else answer

        return handle

    async def _answer(self, handler: Handler, request: web.Request) -> Answer:
        alien_id = await self._caller.alien_id(request)
        if isinstance(alien_id, Refused):
            return alien_id
        lobby_id = request.match_info.get("lobby_id")
        if lobby_id is not None and not ids.is_lobby_id(lobby_id):
            return Refused(ErrorCode.UNKNOWN_LOBBY)
        return await handler(request, alien_id)

    async def _join(self, request: web.Request, alien_id: str) -> Answer:
        body = await read_request(request, http.Join, alien_id)
        if isinstance(body, Refused):
            return body
        async with self._limiter.turn(alien_id):
            seated = await self._seats.join(alien_id, body.buy_in_amount, body.client_seed or "")
        if isinstance(seated, Refused):
            return seated
        return json_response(_join_answer(seated).model_dump())

    async def _invoice(self, request: web.Request, alien_id: str) -> Answer:
        body = await read_request(request, http.InvoiceRequest, alien_id)
        if isinstance(body, Refused):
            return body
        async with self._limiter.turn(alien_id):
            seated = await self._seats.take(alien_id, body.buy_in_amount, body.lobby_id)
        if isinstance(seated, Refused):
            return seated
        return json_response(http.HttpInvoice.of(seated.invoice).model_dump())

    async def _select_numbers(self, request: web.Request, alien_id: str) -> Answer:
        body = await read_request(request, http.SelectNumbers, alien_id)
        if isinstance(body, Refused):
            return body
        async with self._limiter.turn(alien_id):
            done = await self._play.select_numbers(alien_id, _lobby_id(request), body.numbers)
        if isinstance(done, Refused):
            return done
        return json_response(http.SelectAnswer(message="Your numbers are chosen.").model_dump())

    async def _arrange_grid(self, request: web.Request, alien_id: str) -> Answer:
        body = await read_request(request, http.ArrangeGrid, alien_id)
        if isinstance(body, Refused):
            return body
        async with self._limiter.turn(alien_id):
            done = await self._play.arrange_grid(alien_id, _lobby_id(request), body.grid)
        if isinstance(done, Refused):
            return done
        return json_response(http.ArrangeAnswer(message="Your grid is arranged.").model_dump())

    async def _leave(self, request: web.Request, alien_id: str) -> Answer:
        body = await read_request(request, http.Leave, alien_id)
        if isinstance(body, Refused):
            return body
        async with self._limiter.turn(alien_id):
            left = await self._seats.leave(alien_id, _lobby_id(request))
        if isinstance(left, Refused):
            return left
        return json_response(http.HttpLeaveAnswer().model_dump())

    async def _claim(self, request: web.Request, alien_id: str) -> Answer:
        body = await read_request(request, http.Claim, alien_id)
        if isinstance(body, Refused):
            return body
        outcome = await self._play.claim(alien_id, _lobby_id(request))
        if isinstance(outcome, Refused):
            return outcome
        answer = claim_answer(outcome).model_dump(exclude={"ok"})
        return json_response(answer, 200 if isinstance(outcome, Won) else 400)

    async def _status(self, request: web.Request, alien_id: str) -> Answer:
        snapshot = await self._lobbies.snapshot(_lobby_id(request))
        if snapshot.lobby is None:
            return Refused(ErrorCode.UNKNOWN_LOBBY)
        invoice = await self._billing.invoice_of(snapshot, alien_id)
        view = public_view(snapshot.lobby, snapshot.position.seq)
        you = own_view(snapshot.lobby, alien_id, invoice)
        lines = patterns_view(snapshot.lobby.variant.side)
        return json_response(http.status_answer(view, lines, you, self._clock.now_ms()))

    async def _proof(self, request: web.Request) -> web.StreamResponse:
        proof = await self._proofs.of(_lobby_id(request))
        if isinstance(proof, Refused):
            return problem(proof)
        return web.Response(text=proof, content_type="application/json")


def _lobby_id(request: web.Request) -> str:
    return request.match_info["lobby_id"]


def _join_answer(seated: Seated) -> http.HttpJoinAnswer:
    view = public_view(seated.lobby, seated.seq)
    return http.HttpJoinAnswer(
        lobby_id=view.lobby_id,
        status=view.status,
        player_count=view.player_count,
        pot=view.pot,
        invoice=http.HttpInvoice.of(seated.invoice),
    )
