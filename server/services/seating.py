"""Seating: seat requests in a lobby, or in a new one, by one commit for all that it seats."""

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce

from protocol import ids
from protocol.errors import ErrorCode, Refused
from server.rules.commands import OpenLobby
from server.rules.decide import decide, open_lobby
from server.rules.events import Event
from server.rules.evolve import evolve, folded
from server.rules.lobby import Lobby
from server.rules.payments import Invoice
from server.runtime.clock import StoreClock
from server.services.admissions import Admission, Admissions
from server.services.billing import Billing
from server.services.lobbies import Changed, Lobbies
from server.services.seat_requests import SeatRequest, fail, resolve
from server.services.tiers import Tier
from server.store.commits import Check
from server.store.directory import Directory
from server.store.errors import StoreUnavailable
from server.store.invoices import invoice_check
from server.store.log import LOG_START, Snapshot


class Seating:
    """Seats requests in the lobbies of one table of a tier. `other_rules` are lobbies with a free
    seat that were seen to play by other rules than are offered now: nobody new is seated there."""

    def __init__(
        self,
        lobbies: Lobbies,
        directory: Directory,
        billing: Billing,
        admissions: Admissions,
        clock: StoreClock,
        tier: Tier,
        table: str,
    ) -> None:
        self._lobbies = lobbies
        self._directory = directory
        self._billing = billing
        self._admissions = admissions
        self._clock = clock
        self._tier = tier
        self._table = table
        self.other_rules: set[str] = set()

    @property
    def seats_a_lobby(self) -> int:
        """How many a new lobby seats."""
        return self._tier.variant.max_players

    async def seat_in(
        self,
        lobby_id: str,
        requests: Sequence[SeatRequest],
        new_players: Sequence[SeatRequest],
        admission: Admission,
    ) -> None:
        """Seat as many as there is room for, provided that the `new_players` among them hold no
        seat by then. A failure of the store fails these requests, not those for other lobbies."""
        try:
            await self._hold_and_seat(lobby_id, requests, new_players, admission)
        except StoreUnavailable as error:
            fail(requests, error)

    async def _hold_and_seat(
        self,
        lobby_id: str,
        requests: Sequence[SeatRequest],
        new_players: Sequence[SeatRequest],
        admission: Admission,
    ) -> None:
        table = ids.lobby_table(lobby_id)
        if table != self._table:  # its own commits check its own copy of what operators ordered
            names = [request.alien_id for request in requests]
            admission = await self._admissions.of(table, names)
        async with self._lobbies.hold(lobby_id):
            if not any(request.attempts for request in requests):
                # What this node knows may be old. A commit checks it, so it serves for a change,
                # but never for a refusal, and not a second time.
                known = await self._lobbies.last_known(lobby_id)
                if await self._seat_by(known, requests, new_players, admission, only_changes=True):
                    return
            stored = await self._lobbies.stored(lobby_id)
            await self._seat_by(stored, requests, new_players, admission, only_changes=False)
            if all(request.attempts and not request.outcome.done() for request in requests):
                await self._repair(lobby_id, requests)

    async def _repair(self, lobby_id: str, requests: Sequence[SeatRequest]) -> None:
        """Repair the indexes that led requests twice to a lobby that seats none of them."""
        await self._lobbies.repair_indexes(lobby_id)
        for request in requests:
            await self._lobbies.repair_seat(request.alien_id, lobby_id)

    async def _seat_by(
        self,
        before: Snapshot,
        requests: Sequence[SeatRequest],
        new_players: Sequence[SeatRequest],
        admission: Admission,
        *,
        only_changes: bool,
    ) -> bool:
        """Seat requests by what is known of a lobby; whether that was attempted."""
        if before.lobby is None:
            return False
        if new_players and not before.lobby.variant.plays_like(self._tier.variant):
            self.other_rules.add(before.lobby.lobby_id)
            return True
        names = [request.alien_id for request in requests]
        given_up = await self._billing.given_up(before.lobby, names, self._tier.takes_test)
        now_ms = before.time_ms(self._clock.now_ms())
        events, seated = self._fill(
            before.lobby, requests, now_ms, given_up, admission, is_stored=not only_changes
        )
        if only_changes and not events:
            return False
        checks = [admission.unchanged]
        checks += self._unseated_checks(request for request in seated if request in new_players)
        returned = (given_up.get(request.alien_id) for request in seated)
        checks += [invoice_check(invoice) for invoice in returned if invoice is not None]
        await self._commit(before, events, now_ms, seated, checks)
        return True

    async def open(self, requests: Sequence[SeatRequest], admission: Admission) -> None:
        """Open a lobby for as many as it has seats, provided that they hold no seat by then, and
        that no other lobby has a free one."""
        tier, beacon = self._tier, self._tier.beacon()
        if isinstance(beacon, Refused):
            resolve(requests, beacon)
            return
        lobby_id = ids.lobby_id(self._table, os.urandom(6))
        opening = OpenLobby(
            lobby_id, tier.buy_in_amount, tier.variant, os.urandom(32).hex(), beacon
        )
        now_ms = self._clock.now_ms()
        opened = open_lobby(opening, now_ms)
        events, seated = self._fill(folded(opened), requests, now_ms, {}, admission, is_stored=True)
        checks = [
            admission.unchanged,
            self._directory.none_open_check(self._table, self.other_rules),
            *self._unseated_checks(seated),
        ]
        no_lobby = Snapshot(None, LOG_START)
        try:
            await self._commit(no_lobby, [*opened, *events], now_ms, seated, checks)
        except StoreUnavailable as error:
            fail(requests, error)

    def _fill(
        self,
        lobby: Lobby,
        requests: Iterable[SeatRequest],
        now_ms: float,
        given_up: Mapping[str, Invoice],
        admission: Admission,
        *,
        is_stored: bool,
    ) -> tuple[list[Event], list[SeatRequest]]:
        """The events that seat these requests, up to the first for whom there is no seat. Those who
        may not take a new one now are refused. `is_stored`: the lobby is not what this node knows,
        which may be old."""
        events: list[Event] = []
        seated: list[SeatRequest] = []
        for request in requests:
            if request.outcome.done():
                continue
            known = given_up.get(request.alien_id)
            command = self._tier.seat(request.alien_id, request.client_seed, lobby.lobby_id, known)
            decided = decide(lobby, command, now_ms)
            if isinstance(decided, Refused):
                break
            if decided and request.only_kept:
                if is_stored:  # it was given up meanwhile
                    resolve([request], Refused(ErrorCode.UNAVAILABLE))
                continue
            refused = self._no_new_seat(request, admission) if decided else None
            if refused is not None:
                resolve([request], refused)
                continue
            lobby = reduce(evolve, decided, lobby)
            events += decided
            seated.append(request)
        return events, seated

    def _no_new_seat(self, request: SeatRequest, admission: Admission) -> Refused | None:
        refused = admission.new_seat(request.alien_id)
        if refused is None and not request.permit.granted():
            return Refused(ErrorCode.RATE_LIMITED)
        return refused

    def _unseated_checks(self, requests: Iterable[SeatRequest]) -> list[Check]:
        return [
            self._directory.unseated_check(self._table, request.alien_id) for request in requests
        ]

    async def _commit(
        self,
        before: Snapshot,
        events: Sequence[Event],
        now_ms: float,
        seated: Sequence[SeatRequest],
        checks: Sequence[Check],
    ) -> None:
        """Commit these events, and resolve the requests that they seat; neither if the lobby has
        changed meanwhile."""
        if not seated:
            return
        if events:
            changed = await self._lobbies.commit(before, events, now_ms, checks=checks)
        else:
            changed = Changed(before)
        if changed is not None:
            resolve(seated, changed)
