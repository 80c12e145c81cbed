"""What a run does: how many take part, when, and on which server."""

from dataclasses import dataclass
from pathlib import Path

from server.load.target import Target


@dataclass(frozen=True, slots=True)
class Signing:
    """Keys that the server trusts: PEM files with Ed25519 private keys, and what tokens say."""

    token_key: Path
    webhook_key: Path
    issuer: str
    audience: str
    kid: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """Participants start evenly over `ramp_seconds`, take part for `duration_seconds`, and stop
    as evenly as they started.

    `name` begins the players' names. `signing` None: the development server gives tokens and
    pays. `reconnect_at_seconds` is counted from the start; None: nobody is dropped.
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
        """When the ramp down begins, from the start."""
        return self.ramp_seconds + self.duration_seconds

    @property
    def whole_seconds(self) -> float:
        """How long the run takes."""
        return self.ramp_down_at_seconds + self.ramp_seconds

    @property
    def steady_seconds(self) -> slice:
        """The seconds between ramp up and ramp down."""
        first = int(self.ramp_seconds) + 1
        return slice(first, max(int(self.ramp_down_at_seconds), first))
