"""What a run shall do."""

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
class Plan:
    """A run: everyone comes evenly over `ramp_seconds`, stays for `duration_seconds`, and leaves
    as they came.

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
    def people(self) -> int:
        """Everyone who comes: each is one socket."""
        return self.players + self.spectators

    @property
    def whole_seconds(self) -> float:
        """How long the run takes."""
        return self.duration_seconds + 2 * self.ramp_seconds

    @property
    def steady_seconds(self) -> slice:
        """The seconds between the coming and the leaving."""
        first = int(self.ramp_seconds) + 1
        return slice(first, max(int(self.ramp_seconds + self.duration_seconds), first))
