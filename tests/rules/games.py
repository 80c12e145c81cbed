"""A lobby that is played step by step, with all that a server would write down about it."""

from collections.abc import Iterable
from dataclasses import replace

from protocol.errors import Refused
from protocol.ids import invoice_id, lobby_id
from protocol.to_client import ROOM_EVENTS, RoomEvent
from protocol.views import InvoiceStatus
from server.dev.beacon import DevBeacon
from server.rules.beacon import LobbyBeacon
from server.rules.commands import Command, MixBeacon, OpenLobby, TakeSeat, Tick
from server.rules.decide import decide, open_lobby
from server.rules.events import Event, SeatPaid, SeatTaken
from server.rules.evolve import evolve, folded
from server.rules.lobby import Lobby, due_at
from server.rules.money import Movement, invoice_updates, movements
from server.rules.payments import Delivery, Invoice, Receipt, Terms, receive
from server.rules.variants import Variant
from server.rules.views import room_event

CLASSIC = Variant(
    name="classic",
    side=3,
    highest=50,
    min_players=2,
    max_players=10,
    seat_ms=120_000,
    formation_ms=120_000,
    lobby_ttl_ms=600_000,
    arranging_ms=90_000,
    call_interval_ms=3_000,
)
SMALL = replace(
    CLASSIC,
    max_players=3,
    seat_ms=300,
    formation_ms=500,
    lobby_ttl_ms=2_000,
    arranging_ms=400,
    call_interval_ms=50,
)
GRAND = replace(CLASSIC, name="grand", side=5, highest=75, max_players=20)

TERMS = Terms(recipient="provider", token="ALIEN", network="alien")
BEACON = DevBeacon(secret=12345, period_seconds=3)
BEACON_KEYS = {BEACON.chain.chain_hash: BEACON.chain.public_key}
"""A beacon with a key of its own, which signs what is not due as well."""
AWAITED = LobbyBeacon(chain=BEACON.chain, patience_ms=60_000)
LOBBY_ID = lobby_id("3500", bytes(6))
BUY_IN = 3500
SEED = bytes(range(32)).hex()
OPENED_AT_MS = 1_700_000_000_000


class Game:
    """One lobby, its events, what was sent to the room, the ledger and the invoices.

    `now_ms` is Unix time in ms; it is moved by hand.
    """

    def __init__(
        self,
        variant: Variant = CLASSIC,
        server_seed: str = SEED,
        *,
        coin_decimals: int = 0,
        beacon: LobbyBeacon | None = None,
    ) -> None:
        self.coin_decimals = coin_decimals
        self.now_ms: float = OPENED_AT_MS
        opening = OpenLobby(LOBBY_ID, BUY_IN, variant, server_seed, beacon)
        self.events = open_lobby(opening, self.now_ms)
        self.lobby: Lobby = folded(self.events)
        self.room_events: list[RoomEvent] = []
        self.ledger: list[Movement] = []
        self.invoices: dict[str, Invoice] = {}
        self._transactions = 0

    def attempt(self, command: Command) -> list[Event] | Refused:
        """Ask for `command`: the events that followed, or the refusal."""
        decided = decide(self.lobby, command, self.now_ms)
        if not isinstance(decided, Refused):
            self._write_down(decided)
        return decided

    def do(self, command: Command) -> list[Event]:
        """Ask for `command`, which must not be refused: the events that followed."""
        decided = self.attempt(command)
        assert not isinstance(decided, Refused), decided
        return decided

    def sit(self, *players: str, client_seed: str = "") -> None:
        """Each of `players` takes a seat, with an invoice of its own."""
        for player in players:
            new = invoice_id(LOBBY_ID, len(self.invoices).to_bytes(8, "big"))
            self.do(TakeSeat(player, client_seed, new))

    def pay(self, *players: str) -> None:
        """Each of `players` pays the invoice of the seat that they hold."""
        for player in players:
            receipt = self.deliver(self.lobby.players[player].invoice_id)
            assert receipt == replace(receipt, processed=True, reason=None), receipt

    def seat(self, *players: str) -> None:
        """Each of `players` takes a seat and pays."""
        self.sit(*players)
        self.pay(*players)

    def deliver(self, invoice: str, delivery: Delivery | None = None) -> Receipt:
        """The provider says something of an invoice; by default, that it was paid as asked."""
        known = self.invoices[invoice]
        delivery = self.payment(invoice) if delivery is None else delivery
        receipt = receive(self.lobby, known, delivery, TERMS, self.now_ms)
        if receipt.recorded:
            self._write_down(receipt.events)
            self._note(invoice, receipt.status, receipt.owed_units)
            self._note_delivery(invoice, delivery.key)
            self.ledger.extend(receipt.movements)
        return receipt

    def payment(self, invoice: str) -> Delivery:
        """A new transaction that pays an invoice as asked."""
        self._transactions += 1
        tx = f"tx-{self._transactions}"
        return Delivery(
            invoice_id=invoice,
            key=f"{invoice}:finalized:{tx}",
            status="finalized",
            tx=tx,
            test=False,
            units=self.invoices[invoice].units,
        )

    def failure(self, invoice: str) -> Delivery:
        """News that the payment of an invoice failed."""
        paid = self.payment(invoice)
        return replace(paid, status="failed", key=f"{invoice}:failed:{paid.tx}", units=None)

    def tick(self, *, after_ms: float = 0) -> list[Event]:
        """Let `after_ms` pass, and do what is due then."""
        self.now_ms += after_ms
        return self.do(Tick())

    def tick_when_due(self, *, late_ms: float = 0) -> list[Event]:
        """Go to the next instant at which something is due, or so much later, and do it; where the
        beacon is waited for, it is there then."""
        due = due_at(self.lobby)
        assert due is not None
        self.now_ms = max(self.now_ms, due + late_ms)
        happened = self.do(Tick() if self.lobby.awaited is None else self.beacon_comes())
        assert happened, "what is due is done"
        return happened

    def beacon_comes(self) -> MixBeacon:
        """The command with the round that the game waits for."""
        round = None if self.lobby.awaited is None else self.lobby.awaited.round
        assert round is not None
        return MixBeacon(round, BEACON.signature(round))

    def _write_down(self, events: Iterable[Event]) -> None:
        for event in events:
            before = self.lobby
            self.lobby = evolve(before, event)
            self.events.append(event)
            self.ledger.extend(movements(before, event))
            sent = room_event(before, event, self.lobby)
            if sent is not None:
                name, fields = sent
                self.room_events.append(ROOM_EVENTS[name].model_validate(fields))
            self._note_invoices(before, event)

    def _note_invoices(self, before: Lobby, event: Event) -> None:
        if isinstance(event, SeatTaken) and event.invoice_id not in self.invoices:
            self.invoices[event.invoice_id] = self._issued(event)
        for update in invoice_updates(before, event):
            owed_units = self.invoices[update.invoice_id].units if update.refunded else 0
            self._note(update.invoice_id, update.status, owed_units)
        if isinstance(event, SeatPaid):
            paid = self.invoices[event.invoice_id]
            self.invoices[event.invoice_id] = replace(paid, tx_hash=event.tx_hash)

    def _issued(self, seat: SeatTaken) -> Invoice:
        return Invoice(
            invoice_id=seat.invoice_id,
            alien_id=seat.alien_id,
            lobby_id=LOBBY_ID,
            units=BUY_IN * 10**self.coin_decimals,
            status="pending",
            created_at=seat.joined_at,
            expires_at=seat.expires_at,
            takes_test=seat.takes_test,
            client_seed=seat.client_seed,
        )

    def _note(self, invoice: str, status: InvoiceStatus | None, owed_units: int) -> None:
        known = self.invoices[invoice]
        self.invoices[invoice] = replace(
            known, status=status or known.status, owed_units=known.owed_units + owed_units
        )

    def _note_delivery(self, invoice: str, key: str) -> None:
        known = self.invoices[invoice]
        self.invoices[invoice] = replace(known, deliveries=known.deliveries | {key})


def forming(*players: str, variant: Variant = CLASSIC, beacon: LobbyBeacon | None = None) -> Game:
    """A lobby that forms, in which these players have paid."""
    game = Game(variant, beacon=beacon)
    game.seat(*players)
    return game


def arranging(*players: str, variant: Variant = CLASSIC, beacon: LobbyBeacon | None = None) -> Game:
    """A lobby that arranges the grids of these players, because forming took its time."""
    game = forming(*players, variant=variant, beacon=beacon)
    game.tick_when_due()
    assert game.lobby.status == "arranging"
    return game


def active(*players: str, variant: Variant = CLASSIC, beacon: LobbyBeacon | None = None) -> Game:
    """A game in which the server arranged for these players, and no number is called yet; with a
    beacon it waits for that."""
    game = arranging(*players, variant=variant, beacon=beacon)
    game.tick_when_due()
    assert game.lobby.status == "active"
    return game


def ticket(first: int, side: int = 3) -> tuple[tuple[int, ...], ...]:
    """The grid that holds `first` and the numbers after it, row by row."""
    return tuple(tuple(range(first + r * side, first + (r + 1) * side)) for r in range(side))


def rows(game: Game, player: str) -> list[list[int]]:
    """A player's grid as it stands on the wire."""
    return [list(row) for row in game.lobby.players[player].grid or ()]


def kinds(events: Iterable[object]) -> list[str]:
    """The names of what happened, in order."""
    return [type(event).__name__ for event in events]


def waiting(*players: str) -> Game:
    """A game that has started and waits for its beacon."""
    game = active(*(players or ("ann", "bob")), beacon=AWAITED)
    assert game.lobby.awaited is not None
    return game
