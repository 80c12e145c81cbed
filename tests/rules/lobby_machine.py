"""A state machine of one lobby: any commands in any order, and what is answered to each."""

from collections.abc import Sequence

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from protocol.errors import ErrorCode, Refused
from server.dev.beacon import DevBeacon
from server.rules import events
from server.rules.beacon import LobbyBeacon
from server.rules.commands import (
    ArrangeGrid,
    Claim,
    Command,
    Kick,
    Leave,
    MixBeacon,
    OpenLobby,
    SelectNumbers,
    TakeSeat,
    Tick,
    Void,
)
from server.rules.lobby import Player, due_at
from server.rules.payments import Delivery
from server.rules.variants import Variant
from tests.rules import strategies
from tests.rules.brute_force import first_complete
from tests.rules.deliveries import troubled
from tests.rules.games import BEACON, BUY_IN, CLASSIC, LOBBY_ID, SEED, Game
from tests.rules.spectator import Spectator

DECIMALS = 2
STRANGER = DevBeacon()
MOSTLY = st.sampled_from([True, True, True, False])


class LobbyMachine(RuleBasedStateMachine):
    """Players who ask anything at any time, a provider who delivers anything, a clock that jumps.

    Each answer is checked against an spectator, who knows only what was sent to the room.
    """

    def __init__(self) -> None:
        super().__init__()
        self.game = Game()
        self.spectator = Spectator(BUY_IN)
        self.received = 0
        self.last_delivery: dict[str, Delivery] = {}
        self.units_received = 0

    @property
    def variant(self) -> Variant:
        """What this game is played with."""
        return self.game.lobby.variant

    @initialize(
        variant=strategies.variants, seed=strategies.server_seeds, beacon=strategies.beacons
    )
    def open(self, variant: Variant, seed: bytes, beacon: LobbyBeacon | None) -> None:
        self.game = Game(variant, seed.hex(), coin_decimals=DECIMALS, beacon=beacon)

    @rule(data=st.data())
    def time_passes(self, data: st.DataObject) -> None:
        self.game.now_ms += data.draw(strategies.durations_ms(self.variant))

    @rule()
    def tick(self) -> None:
        was_due, awaited = due_at(self.game.lobby), self.game.lobby.awaited
        happened = self.ask(Tick())
        if awaited is not None:  # it is due when its round is, and then goes on with that alone
            assert happened == [] or self.game.lobby.outcome == "voided"
            return
        if was_due is None or was_due > self.game.now_ms:
            assert happened == []
        else:
            assert happened, "what is due is done"
        due = due_at(self.game.lobby)
        assert due is None or due > int(self.game.now_ms), "nothing that is due is left undone"

    @precondition(lambda self: len(self.spectator.paid) > 1)
    @rule(
        times=st.one_of(st.integers(1, 3), st.integers(1, 80)),
        late_ms=st.sampled_from([0.0, 0.9, 40.0, 4_000.0]),
    )
    def play_on(self, times: int, late_ms: float) -> None:
        for _ in range(times):
            if due_at(self.game.lobby) is not None:
                self.game.tick_when_due(late_ms=late_ms)

    @precondition(lambda self: self.game.lobby.awaited is not None)
    @rule(wrong=st.sampled_from(["", "round", "signature", "key"]))
    def beacon_arrives(self, wrong: str) -> None:
        right = self.game.beacon_comes()
        said = {
            "": right,
            "round": MixBeacon(right.round + 1, BEACON.signature(right.round + 1)),
            "signature": MixBeacon(right.round, BEACON.signature(right.round + 1)),
            "key": MixBeacon(right.round, STRANGER.signature(right.round)),
        }[wrong]
        happened = self.ask(said)
        if not wrong or self.game.lobby.outcome == "voided":
            assert happened
        else:
            assert happened == []

    @rule(data=st.data())
    def take_seat(self, data: st.DataObject) -> None:
        self.sit(self.somebody(data))

    @precondition(lambda self: self.game.lobby.status == "forming")
    @rule(data=st.data())
    def several_sit_and_pay(self, data: st.DataObject) -> None:
        for player in data.draw(st.sets(strategies.players(self.variant), min_size=2)):
            self.sit(player)
            if player in self.game.lobby.invoices:
                self.receive(self.game.lobby.invoices[player], "none")

    @precondition(lambda self: self.game.invoices)
    @rule(data=st.data(), trouble=strategies.troubles)
    def provider_delivers(self, data: st.DataObject, trouble: strategies.Trouble) -> None:
        self.receive(data.draw(st.sampled_from(sorted(self.game.invoices))), trouble)

    @precondition(lambda self: self.game.lobby.status != "finished")
    @rule(data=st.data())
    def select(self, data: st.DataObject) -> None:
        player = self.somebody(data)
        numbers = data.draw(strategies.numbers(self.variant))
        expected = self.refusal(player, ["forming", "arranging"])
        if expected is None and player in self.spectator.ready:
            expected = ErrorCode.ALREADY_ARRANGED
        self.ask(SelectNumbers(player, numbers), expected)

    @precondition(lambda self: self.game.lobby.status != "finished")
    @rule(data=st.data())
    def arrange(self, data: st.DataObject) -> None:
        player = self.somebody(data)
        grid = data.draw(strategies.grids(self.variant))
        expected = self.refusal(player, ["forming", "arranging"])
        chosen = self.chosen(player)
        if expected is None and chosen is not None and sum(grid, ()) != chosen:
            side = self.variant.side
            grid = tuple(chosen[r * side : (r + 1) * side] for r in range(side))
        self.ask(ArrangeGrid(player, grid), expected)

    @precondition(lambda self: self.game.lobby.status in ("active", "finished"))
    @rule(data=st.data())
    def claim(self, data: st.DataObject) -> None:
        player = self.somebody(data)
        if self.spectator.end is not None and self.spectator.end.winner == player:
            assert self.ask(Claim(player)) == []  # the same answer again
            return
        expected = self.refusal(player, ["active"])
        happened = self.ask(Claim(player), expected)
        if expected is None:
            seat = self.game.lobby.players[player]
            line = first_complete(seat.grid or (), self.spectator.called)
            ended = self.spectator.end
            assert (ended is not None and ended.winner == player) == (line is not None)
            assert seat.kicked == (line is None)
            assert happened
            assert ended is None or ended.pattern == line

    @precondition(lambda self: self.complete())
    @rule(data=st.data())
    def claim_rightly(self, data: st.DataObject) -> None:
        player = data.draw(st.sampled_from(self.complete()))
        self.ask(Claim(player))
        assert self.spectator.end is not None
        assert self.spectator.end.winner == player

    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        player = self.somebody(data)
        phases = ["forming", "arranging", "active"]
        self.ask(Leave(player), self.refusal(player, phases, paid=False))

    @rule(data=st.data())
    def kick(self, data: st.DataObject) -> None:
        player = self.somebody(data)
        expected = None if player in self.spectator.seated else ErrorCode.NOT_SEATED
        if self.spectator.status != "forming":
            expected = ErrorCode.WRONG_STATUS
        self.ask(Kick(player), expected)

    @rule(rarely=st.integers(0, 9))
    def void(self, rarely: int) -> None:
        self.catch_up()
        over = self.spectator.end is not None
        if over or rarely == 0:
            self.ask(Void(), ErrorCode.WRONG_STATUS if over else None)
            assert self.game.lobby.status == "finished"

    @precondition(lambda self: not self.game.invoices)
    @rule()
    def open_again(self) -> None:
        with pytest.raises(ValueError, match="cannot be opened"):
            self.game.attempt(OpenLobby(LOBBY_ID, BUY_IN, CLASSIC, SEED))

    def somebody(self, data: st.DataObject) -> str:
        """Most often somebody who holds a seat."""
        anybody = strategies.players(self.variant)
        seated = sorted(self.spectator.seated)
        mostly: bool = data.draw(MOSTLY)
        return data.draw(st.sampled_from(seated) if seated and mostly else anybody)

    def complete(self) -> list[str]:
        """Those who could win now."""
        seats = [self.game.lobby.players[player] for player in sorted(self.spectator.playing())]
        called = self.spectator.called if self.spectator.status == "active" else ()
        return [s.alien_id for s in seats if s.grid and first_complete(s.grid, called)]

    def sit(self, player: str) -> None:
        """Ask for a seat, and check who gets one."""
        invoice = f"invoice-{len(self.game.invoices):04}"
        had = self.game.lobby.players.get(player)
        happened = self.game.attempt(TakeSeat(player, "seed", invoice, takes_test=True))
        self.catch_up()
        if self.spectator.status != "forming":
            assert happened == Refused(ErrorCode.LOBBY_CLOSED)
        elif happened == Refused(ErrorCode.LOBBY_FULL):
            held = [p for p in self.game.lobby.players.values() if self.holds(p)]
            assert had is None
            assert len(held) == self.variant.max_players
        else:
            assert player in self.spectator.seated
            assert (self.game.lobby.players[player] is had) == (had is not None and self.holds(had))

    def holds(self, seat: Player) -> bool:
        """Whether a seat is paid, or may still be."""
        return seat.paid or seat.expires_at > int(self.game.now_ms)

    def receive(self, invoice: str, trouble: strategies.Trouble) -> None:
        """The provider delivers something about `invoice`."""
        delivery = troubled(self.game, invoice, trouble, self.last_delivery.get(invoice))
        paid_before = len(self.spectator.paid)
        receipt = self.game.deliver(invoice, delivery)
        if receipt.recorded and delivery.status == "finalized" and not receipt.unmatched:
            self.units_received += delivery.units or 0
        self.last_delivery[invoice] = delivery
        seats_paid = sum(isinstance(event, events.SeatPaid) for event in receipt.events)
        self.catch_up()
        if self.spectator.status == "forming":
            assert len(self.spectator.paid) == paid_before + seats_paid

    def refusal(self, player: str, phases: Sequence[str], *, paid: bool = True) -> ErrorCode | None:
        """The refusal that the room, counting for itself, expects for `player`."""
        self.catch_up()
        reasons = {
            ErrorCode.NOT_SEATED: player not in self.spectator.seated,
            ErrorCode.REMOVED_FROM_GAME: player in self.spectator.kicked,
            ErrorCode.NOT_ACTIVE: player in self.spectator.left,
            ErrorCode.WRONG_STATUS: self.spectator.status not in phases,
            ErrorCode.NOT_PAID: paid and player not in self.spectator.paid,
        }
        return next((code for code, holds in reasons.items() if holds), None)

    def ask(self, command: Command, expected: ErrorCode | None = None) -> list[events.Event]:
        """Ask for `command`, which is refused with `expected` or carried out."""
        before = self.game.lobby
        happened = self.game.attempt(command)
        if isinstance(happened, Refused):
            assert happened.code == expected
            assert self.game.lobby is before
            return []
        assert expected is None
        self.catch_up()
        return happened

    def chosen(self, player: str) -> tuple[int, ...] | None:
        """The numbers that `player` has chosen."""
        seat = self.game.lobby.players.get(player)
        return None if seat is None else seat.numbers

    def catch_up(self) -> None:
        """Let the spectator receive what was sent since the last time."""
        for event in self.game.room_events[self.received :]:
            self.spectator.receive(event)
        self.received = len(self.game.room_events)
