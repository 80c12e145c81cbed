"""The commands of a lobby, in the imperative. Randomness is part of the command."""

from dataclasses import dataclass

from server.rules.beacon import LobbyBeacon
from server.rules.variants import Variant


@dataclass(frozen=True, slots=True)
class OpenLobby:
    """Open a lobby that does not exist yet. `server_seed`: 32 random bytes as hex. `beacon`: what
    its order waits for, if it does."""

    lobby_id: str
    buy_in_amount: int
    variant: Variant
    server_seed: str
    beacon: LobbyBeacon | None = None


@dataclass(frozen=True, slots=True)
class TakeSeat:
    """Hold a seat for a player; `invoice_id` is for a new invoice, should one be needed."""

    alien_id: str
    client_seed: str
    invoice_id: str
    takes_test: bool = False


@dataclass(frozen=True, slots=True)
class SelectNumbers:
    """Choose the numbers of the player's ticket."""

    alien_id: str
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ArrangeGrid:
    """Arrange the player's numbers, row by row."""

    alien_id: str
    grid: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """Claim that the player has a complete pattern."""

    alien_id: str


@dataclass(frozen=True, slots=True)
class Leave:
    """Give the player's seat up."""

    alien_id: str


@dataclass(frozen=True, slots=True)
class Kick:
    """Take a player's seat from them, while the lobby forms."""

    alien_id: str


@dataclass(frozen=True, slots=True)
class Void:
    """End the lobby in whatever phase it is, and owe everything that was paid in back."""


@dataclass(frozen=True, slots=True)
class MixBeacon:
    """Take the beacon's `round` into the draw, by its `signature` (hex)."""

    round: int
    signature: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Do what is due by the current time."""


Command = (
    OpenLobby
    | TakeSeat
    | SelectNumbers
    | ArrangeGrid
    | Claim
    | Leave
    | Kick
    | Void
    | MixBeacon
    | Tick
)
