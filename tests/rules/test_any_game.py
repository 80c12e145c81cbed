"""What holds in every game, whatever is asked of it, in whatever order, at whatever time."""

import json

from hypothesis.stateful import invariant

from protocol.to_client import GameFinished
from server.rules import events
from server.rules.evolve import fold
from server.rules.lifecycle import TRANSITIONS
from server.rules.views import public_view
from tests.rules.games import BUY_IN
from tests.rules.ledger import balanced, totals
from tests.rules.lobby_machine import DECIMALS, LobbyMachine

SECRETS = {"numbers", "grid", "grids", "proof", "server_seed", "entropy", "numbers_called", "order"}


class AnyGame(LobbyMachine):
    """What holds after every step."""

    @invariant()
    def the_room_can_count_for_itself(self) -> None:
        self.catch_up()
        self.spectator.agrees_with(public_view(self.game.lobby, seq=self.received))

    def teardown(self) -> None:
        """The room sent no secret before the end."""
        for event in self.game.room_events:
            if not isinstance(event, GameFinished):
                text = event.model_dump_json()
                assert not SECRETS & set(json.loads(text))
                assert self.game.lobby.server_seed not in text

    @invariant()
    def the_public_view_has_no_secret(self) -> None:
        view = public_view(self.game.lobby, seq=self.received)
        text = view.model_dump_json()
        assert not SECRETS & set(_keys(json.loads(text)))
        assert self.game.lobby.server_seed not in text
        assert self.game.lobby.entropy is None or self.game.lobby.entropy not in text

    @invariant()
    def seats_are_never_oversold(self) -> None:
        assert len(self.spectator.seated) <= self.variant.max_players

    @invariant()
    def no_number_is_called_twice_and_the_order_is_kept(self) -> None:
        lobby = self.game.lobby
        assert len(set(lobby.called)) == len(lobby.called)
        assert lobby.called == lobby.order[: len(lobby.called)]

    @invariant()
    def there_is_one_end_and_it_is_won_by_somebody_who_was_playing(self) -> None:
        ends = [e for e in self.game.events if isinstance(e, events.GameFinished)]
        assert len(ends) == (self.game.lobby.status == "finished")
        for end in ends:
            assert (end.outcome == "won") == (end.winner is not None)
            assert end.winner is None or end.winner in self.spectator.playing()

    @invariant()
    def every_step_stands_in_the_table(self) -> None:
        status = None
        for event in self.game.events:
            status = TRANSITIONS[status][type(event)]
        assert status == self.game.lobby.status

    @invariant()
    def all_events_together_give_the_lobby_that_the_steps_gave(self) -> None:
        assert fold(self.game.events) == self.game.lobby

    @invariant()
    def nobody_is_asked_to_pay_twice_for_a_seat(self) -> None:
        seats = self.game.lobby.players.values()
        unpaid = {seat.invoice_id for seat in seats if not seat.paid}
        pending = {i.invoice_id for i in self.game.invoices.values() if i.status == "pending"}
        if self.game.lobby.status != "finished":
            assert pending == unpaid
            paid = {seat.invoice_id for seat in seats if seat.paid}
            assert paid == {i.invoice_id for i in self.game.invoices.values() if i.status == "paid"}
        assert all(self.game.lobby.invoices[seat.alien_id] == seat.invoice_id for seat in seats)

    @invariant()
    def the_ledger_balances_and_the_pot_is_in_it(self) -> None:
        sums = totals(self.game.ledger)
        finished = self.game.lobby.status == "finished"
        assert balanced(self.game.ledger)
        assert sums["pot"] == (0 if finished else self.spectator.pot)
        assert sums["payout_owed"] == (self.spectator.pot if self.game.lobby.winner else 0)

    @invariant()
    def every_unit_that_came_in_is_in_a_pot_or_owed(self) -> None:
        owed = sum(invoice.owed_units for invoice in self.game.invoices.values())
        called_off = self.game.lobby.outcome in ("cancelled", "voided")
        staked = 0 if called_off else len(self.spectator.paid)
        assert self.units_received == owed + staked * BUY_IN * 10**DECIMALS
        assert self.units_received == totals(self.game.ledger)["received"] * 10**DECIMALS


def _keys(value: object) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(key for inner in value.values() for key in _keys(inner))]
    return [key for inner in value for key in _keys(inner)] if isinstance(value, list) else []


TestAnyGame = AnyGame.TestCase
