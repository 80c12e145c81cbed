"""What can happen in a lobby, in the past tense. Its events, folded, are the lobby."""

from dataclasses import dataclass
from typing import Final

from protocol.views import LeaveReason, Outcome
from server.rules.beacon import Chain
from server.rules.draw import Grid, ServerArranged
from server.rules.variants import Variant

EMPTY_LOG_HASH: Final = "0" * 64
"""What stands for the hash of the record before the first."""


@dataclass(frozen=True, slots=True)
class LobbyOpened:
    """A lobby exists. `server_seed` (hex) stays secret until the end."""

    lobby_id: str
    buy_in_amount: int
    variant: Variant
    server_seed: str
    created_at: int
    deadline: int


@dataclass(frozen=True, slots=True)
class BeaconChosen:
    """The order of this lobby's numbers waits for a beacon, no longer than `patience_ms` from the
    start; it comes right after the lobby opened."""

    chain: Chain
    patience_ms: int


@dataclass(frozen=True, slots=True)
class SeatTaken:
    """A seat is held by an invoice until `expires_at` (Unix ms). `takes_test`: the invoice may be
    paid by test payments."""

    alien_id: str
    client_seed: str
    invoice_id: str
    joined_at: int
    expires_at: int
    takes_test: bool


@dataclass(frozen=True, slots=True)
class SeatPaid:
    """The buy-in came in by `invoice_id` and is in the pot. `test`: not with real money."""

    alien_id: str
    invoice_id: str
    tx_hash: str
    test: bool


@dataclass(frozen=True, slots=True)
class PlayerLeft:
    """A seat became free while forming; later, the player only no longer plays."""

    alien_id: str
    reason: LeaveReason


@dataclass(frozen=True, slots=True)
class FormingExtended:
    """Too few had paid in time: forming goes on until `deadline`."""

    deadline: int


@dataclass(frozen=True, slots=True)
class ArrangingBegan:
    """The players are complete; grids are arranged until `deadline`."""

    deadline: int


@dataclass(frozen=True, slots=True)
class NumbersSelected:
    """A player chose the numbers of the ticket."""

    alien_id: str
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GridArranged:
    """A player's grid stands, by their own hand or, with `by_server`, by the server's."""

    alien_id: str
    grid: Grid
    by_server: ServerArranged | None = None


@dataclass(frozen=True, slots=True)
class GameStarted:
    """The order of the numbers is fixed by the seed and `entropy`."""

    entropy: str
    started_at: int
    next_call_at: int


@dataclass(frozen=True, slots=True)
class BeaconAwaited:
    """The start of a game whose order comes with the beacon's `round`; `entropy` is what the
    players bring to it, and `next_call_at` when there may be something to do. It is no
    `GameStarted`: who does not know beacons must not take the order from the seed and `entropy`."""

    entropy: str
    round: int
    started_at: int
    next_call_at: int


@dataclass(frozen=True, slots=True)
class BeaconMixed:
    """The round is there, its `signature` (hex) verified: the order of the numbers is fixed."""

    round: int
    signature: str
    next_call_at: int


@dataclass(frozen=True, slots=True)
class NumberCalled:
    """A number was called; the next step is due at `next_call_at`."""

    number: int
    next_call_at: int


@dataclass(frozen=True, slots=True)
class PlayerKicked:
    """A false claim: `missing_numbers` were not called of the pattern nearest to complete."""

    alien_id: str
    missing_numbers: tuple[int, ...]


CALLED_OFF: Final[frozenset[Outcome]] = frozenset({"cancelled", "voided"})
"""The outcomes of what counts as not played: every payment is owed back, and nothing is proven."""


@dataclass(frozen=True, slots=True)
class GameFinished:
    """The end. `winner` and `pattern` only when it was won. `log_hash` (hex) is of the log's last
    record before this one, and so vouches for all of them; the log fills it in."""

    outcome: Outcome
    winner: str | None
    pattern: str | None
    finished_at: int
    log_hash: str = EMPTY_LOG_HASH


Event = (
    LobbyOpened
    | BeaconChosen
    | SeatTaken
    | SeatPaid
    | PlayerLeft
    | FormingExtended
    | ArrangingBegan
    | NumbersSelected
    | GridArranged
    | GameStarted
    | BeaconAwaited
    | BeaconMixed
    | NumberCalled
    | PlayerKicked
    | GameFinished
)
