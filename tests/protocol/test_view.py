"""A client that folds the events it receives sees what the server shows."""

import json

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from pydantic import ValidationError

from protocol.errors import Refused
from protocol.room_events import OtherEvent, read_room_message
from protocol.view import fold_event
from server.rules.commands import ArrangeGrid, Claim, Command, Leave, TakeSeat
from server.rules.evolve import evolve
from server.rules.lobby import due_at
from server.rules.variants import Variant
from server.rules.views import public_view
from server.store.log import LogPosition, Snapshot, record_events
from tests.rules import strategies
from tests.rules.games import Game


class AnyView(RuleBasedStateMachine):
    """A game in which anything happens, and a client that came when the lobby opened."""

    def __init__(self) -> None:
        super().__init__()
        self.begin(Game())

    def begin(self, game: Game) -> None:
        self.game = game
        opened = evolve(None, game.events[0])
        self.seen = Snapshot(opened, LogPosition(version=1, minor=1, at_ms=game.now_ms))
        self.view = public_view(opened, seq=0)
        self.folded = 1

    @initialize(variant=strategies.variants, seed=strategies.server_seeds)
    def open(self, variant: Variant, seed: bytes) -> None:
        self.begin(Game(variant, server_seed=seed.hex()))

    @rule(data=st.data())
    def time_passes(self, data: st.DataObject) -> None:
        self.game.now_ms += data.draw(strategies.durations_ms(self.game.lobby.variant))
        self.game.tick()

    @rule(times=st.integers(1, 80))
    def play_on(self, times: int) -> None:
        for _ in range(times):
            if due_at(self.game.lobby) is not None:
                self.game.tick_when_due()
                self.catch_up()

    @rule(data=st.data(), pays=st.sampled_from([True, True, False]))
    def take_seat(self, data: st.DataObject, pays: bool) -> None:
        player = data.draw(strategies.players(self.game.lobby.variant))
        invoice = f"invoice-{len(self.game.invoices)}"
        taken = self.game.attempt(TakeSeat(player, "", invoice))
        if taken and not isinstance(taken, Refused) and pays:
            self.game.pay(player)

    @rule(data=st.data())
    def pay_again_or_late(self, data: st.DataObject) -> None:
        if self.game.invoices:
            self.game.deliver(data.draw(st.sampled_from(sorted(self.game.invoices))))

    @rule(data=st.data())
    def play(self, data: st.DataObject) -> None:
        seated = sorted(self.game.lobby.players)
        player = data.draw(st.sampled_from(seated or ["nobody"]))
        grid = data.draw(strategies.grids(self.game.lobby.variant))
        commands: list[Command] = [ArrangeGrid(player, grid), Claim(player), Leave(player)]
        self.game.attempt(data.draw(st.sampled_from(commands)))

    @invariant()
    def catch_up(self) -> None:
        """Receive what has happened since, as it stands in the log of the lobby."""
        happened = self.game.events[self.folded :]
        self.folded += len(happened)
        # A whole millisecond, so that the microseconds that set events apart stay within it.
        for entry, lobby in record_events(self.seen, happened, int(self.game.now_ms)):
            self.seen = Snapshot(lobby, entry.position)
            if entry.name is not None and entry.message is not None:
                message = read_room_message(entry.name, json.loads(entry.message))
                self.view = fold_event(self.view, message)
            assert self.view == public_view(lobby, seq=entry.position.seq)


TestAnyView = AnyView.TestCase


def test_a_message_keeps_its_number_and_time() -> None:
    fields = {"seq": 7, "at": 1.5, "alien_id": "ann", "active_players": 1}
    message = read_room_message("player_kicked", fields)
    assert message.model_dump() == {"event": "player_kicked", **fields}


def test_an_event_of_a_newer_server_changes_the_view_by_its_number_only() -> None:
    view = public_view(Game().lobby, seq=6)
    message = read_room_message("bonus_given", {"seq": 7, "at": 1.5, "coins": 3})
    assert type(message).__name__ == OtherEvent.__name__
    assert message.model_dump() == {"event": "bonus_given", "seq": 7, "at": 1.5, "coins": 3}
    assert fold_event(view, message) == view.model_copy(update={"seq": 7})


def test_what_is_no_room_event_raises_a_validation_error() -> None:
    with pytest.raises(ValidationError):
        read_room_message("player_kicked", {"seq": 1, "at": 1.0, "alien_id": "ann"})
