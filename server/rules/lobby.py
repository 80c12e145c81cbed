"""A lobby as a value: who sits in it, what is in the pot, and how far the game is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from protocol.views import Outcome, Status
from server.rules.beacon import AHEAD_MS, LobbyBeacon
from server.rules.draw import Grid
from server.rules.events import EMPTY_LOG_HASH
from server.rules.variants import Variant


@dataclass(frozen=True, kw_only=True)
class Player:
    """A seat and who holds it. `expires_at` (Unix ms) ends it while it is not paid.

    `test`: it was paid, but not with real money. `active` ends by leaving or, with `kicked`, by a
    false claim.
    """

    alien_id: str
    client_seed: str
    invoice_id: str
    joined_at: int
    expires_at: int
    paid: bool = False
    test: bool = False
    active: bool = True
    kicked: bool = False
    numbers: tuple[int, ...] | None = None
    grid: Grid | None = None

    @property
    def ready(self) -> bool:
        """Whether the grid is arranged."""
        return self.grid is not None

    @property
    def rows(self) -> list[list[int]]:
        """The grid as the outside has it; empty if it is not arranged."""
        return [list(row) for row in self.grid or ()]


@dataclass(frozen=True, kw_only=True)
class Lobby:
    """One game from its opening to its end. Times are Unix ms.

    `players` keeps the order of seating. `invoices` names, for everybody who ever held a seat here,
    the invoice that paid it, or else the last one. `order` follows from the seed, `entropy` and the
    value of the `beacon`, if there is one, and `called` is its beginning. `log_hash` vouches for
    the log up to the end, when it is there.
    """

    lobby_id: str
    buy_in_amount: int
    variant: Variant
    server_seed: str
    created_at: int
    status: Status = "forming"
    players: Mapping[str, Player]
    invoices: Mapping[str, str]
    pot: int = 0
    deadline: int | None
    started_at: int | None = None
    next_call_at: int | None = None
    beacon: LobbyBeacon | None = None
    entropy: str | None = None
    order: tuple[int, ...] = ()
    called: tuple[int, ...] = ()
    finished_at: int | None = None
    outcome: Outcome | None = None
    winner: str | None = None
    pattern: str | None = None
    log_hash: str = EMPTY_LOG_HASH

    def paid_players(self) -> Iterator[Player]:
        """Those whose buy-in is in the pot, also when they have left or were removed since."""
        return (player for player in self.players.values() if player.paid)

    def active_players(self) -> Iterator[Player]:
        """Those who can still play."""
        return (player for player in self.players.values() if player.active)

    @property
    def awaited(self) -> LobbyBeacon | None:
        """The beacon without which the game cannot go on; None if it needs none now."""
        beacon = self.beacon
        awaits = self.status == "active" and beacon is not None and beacon.signature is None
        return beacon if awaits else None

    @property
    def closes_at(self) -> int:
        """When the lobby is cancelled if it has not started."""
        return self.created_at + self.variant.lobby_ttl_ms

    @property
    def full(self) -> bool:
        """Whether every seat is taken, paid or not."""
        return len(self.players) >= self.variant.max_players


SET_BACK_MS: Final = 1_000
"""A time that lies further ahead than its interval allows, by more than this, was written before
the store's clock was set back: a server's estimate of that clock is much better than that."""


def is_due(due_ms: int | None, interval_ms: int, now_ms: float) -> bool:
    """Whether something is due by now that is set at most `interval_ms` ahead (None: never).

    What lies further ahead was set before the clock was set back, and counts as due: its timer
    brings it up once the interval is over.
    """
    return due_ms is not None and not now_ms < due_ms <= now_ms + interval_ms + SET_BACK_MS


def latest_due(lobby: Lobby, now_ms: float) -> int:
    """The latest time (Unix ms, rounded down) at which time alone can change the lobby next; what
    it says itself may be later only if the clock was set back since."""
    variant = lobby.variant
    if lobby.status == "forming":
        return int(now_ms) + max(variant.seat_ms, variant.formation_ms)
    if lobby.status == "arranging":
        return int(now_ms) + variant.arranging_ms
    if lobby.awaited is not None:
        chain = lobby.awaited.chain
        return int(now_ms) + min(1 + AHEAD_MS + chain.period_ms, lobby.awaited.patience_ms)
    return int(now_ms) + variant.call_interval_ms


def due_at(lobby: Lobby) -> int | None:
    """When time alone changes the lobby next (Unix ms); None when it never does again."""
    if lobby.status == "forming":
        unpaid = [p.expires_at for p in lobby.players.values() if not p.paid]
        deadline = [] if lobby.deadline is None else [lobby.deadline]
        return min([lobby.closes_at, *deadline, *unpaid])
    if lobby.status == "arranging":
        return lobby.deadline
    return lobby.next_call_at
