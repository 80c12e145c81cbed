"""What all participants of one worker process share."""

from dataclasses import dataclass

from server.load.call_schedule import Games
from server.load.dialer import Dialer
from server.load.meter import Meter
from server.load.payments import Payer
from server.load.tokens import TokenSource


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What participants connect, identify themselves and pay with, the games that are on, and the
    meter. `claims` is whether players claim."""

    dialer: Dialer
    token_source: TokenSource
    payer: Payer
    games: Games
    meter: Meter
    claims: bool
