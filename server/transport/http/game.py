"""`/api`: the game over HTTP, through the same services as the sockets."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

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
from server.transport.commands import Command
from server.transport.concurrency import ConcurrencyLimiter
from server.transport.http.requests import (
    AddressLimit,
    RequestAuthenticator,
    json_response,
    read_payload,
)
from server.transport.problems import problem

_LOBBY: Final = "/api/game/{lobby_id:[^/]+}"  # by itself aiohttp lets no braces match


@dataclass(frozen=True, slots=True)
class PlayerRequest:
    """Which player asks, and about which lobby ("" where none is named)."""

    alien_id: str
    lobby_id: str


class GameRoutes:
    """The routes of the game. All but the proof, which is limited `by_address`, want a player's
    token."""

    def __init__(
        self,
        *,
        authenticator: RequestAuthenticator,
        by_address: AddressLimit,
        lobbies: Lobbies,
        seats: Seats,
        play: Play,
        billing: Billing,
        proofs: Proofs,
        clock: StoreClock,
        limiter: ConcurrencyLimiter,
    ) -> None:
        self._authenticator = authenticator
        self._by_address = by_address
        self._lobbies = lobbies
        self._seats = seats
        self._play = play
        self._billing = billing
        self._proofs = proofs
        self._clock = clock
        self._limiter = limiter
        self._commands: Mapping[str, Command[PlayerRequest, Any, web.Response]] = {
            "/api/game/join": Command(http.Join, self._join),
            "/api/invoices": Command(http.InvoiceRequest, self._invoice),
            f"{_LOBBY}/numbers/select": Command(http.SelectNumbers, self._select_numbers),
            f"{_LOBBY}/numbers/arrange": Command(http.ArrangeGrid, self._arrange_grid),
            f"{_LOBBY}/leave": Command(http.Leave, self._leave),
            f"{_LOBBY}/claim": Command(http.Claim, self._claim, urgent=True),  # the first one wins
        }

    def add_to(self, app: web.Application) -> None:
        """Serve the routes on `app`."""
        for path, command in self._commands.items():
            app.router.add_post(path, partial(self._carry_out, command))
        app.router.add_get(f"{_LOBBY}/status", self._status)
        app.router.add_get(f"{_LOBBY}/proof", self._proof)

    async def _carry_out(
        self, command: Command[PlayerRequest, Any, web.Response], request: web.Request
    ) -> web.Response:
        player = await self._player(request)
        if isinstance(player, Refused):
            return problem(player)
        payload = await read_payload(request)
        if isinstance(payload, Refused):
            return problem(payload)
        answer = await command.carry_out(player, payload, self._limiter)
        return problem(answer) if isinstance(answer, Refused) else answer

    async def _player(self, request: web.Request) -> PlayerRequest | Refused:
        alien_id = await self._authenticator.alien_id(request)
        if isinstance(alien_id, Refused):
            return alien_id
        lobby_id = request.match_info.get("lobby_id", "")
        if lobby_id and not ids.is_lobby_id(lobby_id):
            return Refused(ErrorCode.UNKNOWN_LOBBY)
        return PlayerRequest(alien_id, lobby_id)

    async def _join(self, player: PlayerRequest, body: http.Join) -> web.Response | Refused:
        seated = await self._seats.join(player.alien_id, body.buy_in_amount, body.client_seed or "")
        if isinstance(seated, Refused):
            return seated
        return json_response(_join_answer(seated).model_dump())

    async def _invoice(
        self, player: PlayerRequest, body: http.InvoiceRequest
    ) -> web.Response | Refused:
        seated = await self._seats.take(player.alien_id, body.buy_in_amount, body.lobby_id)
        if isinstance(seated, Refused):
            return seated
        return json_response(http.HttpInvoice.of(seated.invoice).model_dump())

    async def _select_numbers(
        self, player: PlayerRequest, body: http.SelectNumbers
    ) -> web.Response | Refused:
        done = await self._play.select_numbers(player.alien_id, player.lobby_id, body.numbers)
        if isinstance(done, Refused):
            return done
        return json_response(http.SelectAnswer(message="Your numbers are chosen.").model_dump())

    async def _arrange_grid(
        self, player: PlayerRequest, body: http.ArrangeGrid
    ) -> web.Response | Refused:
        done = await self._play.arrange_grid(player.alien_id, player.lobby_id, body.grid)
        if isinstance(done, Refused):
            return done
        return json_response(http.ArrangeAnswer(message="Your grid is arranged.").model_dump())

    async def _leave(self, player: PlayerRequest, _body: http.Leave) -> web.Response | Refused:
        left = await self._seats.leave(player.alien_id, player.lobby_id)
        if isinstance(left, Refused):
            return left
        return json_response(http.HttpLeaveAnswer().model_dump())

    async def _claim(self, player: PlayerRequest, _body: http.Claim) -> web.Response | Refused:
        outcome = await self._play.claim(player.alien_id, player.lobby_id)
        if isinstance(outcome, Refused):
            return outcome
        answer = claim_answer(outcome).model_dump(exclude={"ok"})
        return json_response(answer, 200 if isinstance(outcome, Won) else 400)

    async def _status(self, request: web.Request) -> web.Response:
        player = await self._player(request)
        if isinstance(player, Refused):
            return problem(player)
        snapshot = await self._lobbies.snapshot(player.lobby_id)
        if snapshot.lobby is None:
            return problem(Refused(ErrorCode.UNKNOWN_LOBBY))
        invoice = await self._billing.invoice_of(snapshot, player.alien_id)
        view = public_view(snapshot.lobby, snapshot.position.seq)
        you = own_view(snapshot.lobby, player.alien_id, invoice)
        patterns = patterns_view(snapshot.lobby.variant)
        return json_response(http.status_answer(view, patterns, you, self._clock.now_ms()))

    async def _proof(self, request: web.Request) -> web.Response:
        if not self._by_address.allows(request):
            return problem(Refused(ErrorCode.RATE_LIMITED))
        proof = await self._proofs.of(request.match_info["lobby_id"])
        if isinstance(proof, Refused):
            return problem(proof)
        return web.Response(text=proof, content_type="application/json")


def _join_answer(seated: Seated) -> http.HttpJoinAnswer:
    view = public_view(seated.lobby, seated.seq)
    return http.HttpJoinAnswer(
        lobby_id=view.lobby_id,
        status=view.status,
        player_count=view.player_count,
        pot=view.pot,
        invoice=http.HttpInvoice.of(seated.invoice),
    )
