"""What everyone in one process of the load tool shares."""

from dataclasses import dataclass

from server.load.dialer import Dialer
from server.load.meter import Meter
from server.load.pace import Games
from server.load.payments import Payments
from server.load.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Kit:
    """The means to play with, and where to note what is seen. `claims`: whether players claim."""

    dialer: Dialer
    tokens: Tokens
    payments: Payments
    games: Games
    meter: Meter
    claims: bool
