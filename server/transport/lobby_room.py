"""The handler of every lobby: `/<lobby_id>`."""

from collections.abc import Mapping
from typing import Any

import orjson

from protocol.errors import ErrorCode, Refused
from protocol.from_client import ArrangeGrid, Claim, Leave, RefreshToken, SelectNumbers, Sync
from protocol.to_client import LeaveAnswer
from protocol.views import Invoice
from server.services.play import Play
from server.services.replicas import LobbyReplicas
from server.services.seats import Seats
from server.store.log import Record
from server.transport.answers import claim_answer
from server.transport.commands import Answer, Command
from server.transport.member import Member, Welcome
from server.transport.relay import send_state
from server.transport.resuming import Resuming
from server.transport.states import States
from server.transport.tokens import Tokens


class LobbyRoom:
    """Lets players and spectators into the rooms of lobbies, and carries out what players ask."""

    def __init__(
        self,
        replicas: LobbyReplicas,
        resuming: Resuming,
        states: States,
        play: Play,
        seats: Seats,
        tokens: Tokens,
    ) -> None:
        self.commands: Mapping[str, Command[Member, Any, Answer]] = {
            "select_numbers": Command(SelectNumbers, self._select_numbers),
            "arrange_grid": Command(ArrangeGrid, self._arrange_grid),
            "claim": Command(Claim, self._claim, urgent=True),  # the first one wins
            "leave": Command(Leave, self._leave),
            "sync": Command(Sync, self._sync),
            "refresh_token": Command(RefreshToken, tokens.refresh, urgent=True),
        }
        self._replicas = replicas
        self._resuming = resuming
        self._states = states
        self._play = play
        self._seats = seats

    async def admit(self, member: Member, auth: Mapping[str, Any]) -> Welcome | Refused:
        """Everyone may watch a lobby that exists. The welcome is what the member has missed after
        `last_seq`, or the whole state."""
        lobby_id = _lobby_of(member)
        if not await self._replicas.acquire(lobby_id):
            return Refused(ErrorCode.UNKNOWN_LOBBY)
        try:
            last_seq = auth.get("last_seq")
            older = await self._resuming.older(lobby_id, last_seq)
            invoice = await self._states.invoice(lobby_id, member.alien_id)
        except BaseException:
            self._replicas.release(lobby_id)
            raise
        if self._replicas.snapshot(lobby_id) is None:  # it is gone by now
            self._replicas.release(lobby_id)
            return Refused(ErrorCode.UNKNOWN_LOBBY)
        return lambda: self._welcome(member, last_seq, older, invoice)

    def left(self, member: Member) -> None:
        """The member no longer needs the lobby's replica."""
        self._replicas.release(_lobby_of(member))

    def _welcome(
        self, member: Member, last_seq: Any, older: list[Record], invoice: Invoice | None
    ) -> None:
        lobby_id = _lobby_of(member)
        missed = self._resuming.missed(lobby_id, last_seq, older)
        if missed is None:
            send_state(member, self._states.state(lobby_id, member.alien_id, invoice))
            return
        for record in missed:
            member.send(record.name or "", (record.message or "").encode())

    async def _select_numbers(self, member: Member, request: SelectNumbers) -> Answer | Refused:
        done = await self._play.select_numbers(member.alien_id, _lobby_of(member), request.numbers)
        if isinstance(done, Refused):
            return done
        return {"ok": True, "numbers": request.numbers}  # as `SelectNumbersAnswer` has it

    async def _arrange_grid(self, member: Member, request: ArrangeGrid) -> Answer | Refused:
        done = await self._play.arrange_grid(member.alien_id, _lobby_of(member), request.grid)
        if isinstance(done, Refused):
            return done
        return {"ok": True, "grid": request.grid}  # as `ArrangeGridAnswer` has it

    async def _claim(self, member: Member, _request: Claim) -> Answer | Refused:
        outcome = await self._play.claim(member.alien_id, _lobby_of(member))
        return outcome if isinstance(outcome, Refused) else claim_answer(outcome).model_dump()

    async def _leave(self, member: Member, _request: Leave) -> Answer | Refused:
        done = await self._seats.leave(member.alien_id, _lobby_of(member))
        return done if isinstance(done, Refused) else LeaveAnswer().model_dump()

    async def _sync(self, member: Member, request: Sync) -> Answer | Refused:
        lobby_id = _lobby_of(member)
        older = await self._resuming.older(lobby_id, request.last_seq)
        invoice = await self._states.invoice(lobby_id, member.alien_id)
        state = self._states.state(lobby_id, member.alien_id, invoice)
        if state is None:
            return Refused(ErrorCode.UNKNOWN_LOBBY)
        missed = self._resuming.missed(lobby_id, request.last_seq, older)
        if missed is None:
            return {"ok": True, "state": state}
        events = [_named(record) for record in missed]
        return {"ok": True, "events": events, "you": state["you"]}


def _lobby_of(member: Member) -> str:
    """Its namespace is a lobby's: no other has this handler."""
    return member.namespace.removeprefix("/")


def _named(record: Record) -> dict[str, Any]:
    return {"event": record.name, **orjson.loads(record.message or "{}")}
