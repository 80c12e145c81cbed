"""The scenario of a run: how many take part, when, and on which server."""

from dataclasses import dataclass
from pathlib import Path

from server.load.target import Target


@dataclass(frozen=True, slots=True)
class Signing:
    """Keys that the server trusts: PEM files with Ed25519 private keys. `issuer`, `audience` and
    `kid` are the tokens' `iss`, `aud` and `kid`."""

    token_key: Path
    webhook_key: Path
    issuer: str
    audience: str
    kid: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """Participants start evenly over `ramp_seconds`, take part for `duration_seconds`, and leave
    as evenly as they started.

    The participants' ids begin with `name`. `tiers` are the buy-ins, which the players have in
    turn; `claims` is whether they claim. `reconnect_at_seconds` after the start all connections
    are dropped at once; None: never. `call_interval_seconds` is the server's, and
    `clock_offset_ms` is how far the clock of its store is ahead of this machine's. Without
    `signing` the development server issues tokens and pays.
    """

    target: Target
    name: str
    players: int
    spectators: int
    tiers: tuple[int, ...]
    ramp_seconds: float
    duration_seconds: float
    reconnect_at_seconds: float | None
    call_interval_seconds: float
    clock_offset_ms: float
    claims: bool
    signing: Signing | None

    @property
    def participants(self) -> int:
        """Players and spectators: each is one socket."""
        return self.players + self.spectators

    @property
    def ramp_down_at_seconds(self) -> float:
        """When the ramp-down begins, counted from the start."""
        return self.ramp_seconds + self.duration_seconds

    @property
    def total_seconds(self) -> float:
        """How long the run takes."""
        return self.ramp_down_at_seconds + self.ramp_seconds

    @property
    def steady(self) -> slice:
        """The seconds between ramp-up and ramp-down, as a slice of a sequence with one item for
        each second."""
        first = int(self.ramp_seconds) + 1
        return slice(first, max(int(self.ramp_down_at_seconds), first))
