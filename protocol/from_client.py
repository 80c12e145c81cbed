"""Everything a client may say on a socket: one model a command, and the tables of both doors."""

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, StrictInt

from protocol.views import ClientSeed, Grid, Numbers, Request


class Auth(BaseModel):
    """The `auth` of a connect packet. A lobby sends what came after `last_seq`, if it still has
    all of that, and otherwise its whole state."""

    model_config = ConfigDict(defer_build=True)

    token: str
    last_seq: object = None


class Join(Request):
    """`/lobbies`: take a seat in the fullest forming lobby of a tier, or open one."""

    buy_in_amount: StrictInt
    client_seed: ClientSeed | None = None


class ListLobbies(Request):
    """`/lobbies`: the forming lobbies, oldest first; of one tier if it is named."""

    buy_in_amount: StrictInt | None = None


class SelectNumbers(Request):
    """Lobby: choose the numbers of the ticket; may be repeated until the grid is arranged."""

    numbers: Numbers


class ArrangeGrid(Request):
    """Lobby: arrange the chosen numbers, as rows; without chosen numbers it chooses the grid's."""

    grid: Grid


class Claim(Request):
    """Lobby: "I have a complete pattern". A false claim removes the player from the game."""


class Leave(Request):
    """Lobby: give the seat up. While forming a payment is owed back; later it stays in the pot."""


class Sync(Request):
    """Lobby: what happened after `last_seq`, or the whole state."""

    # Any value: one that is no usable number means "the whole state".
    last_seq: object = None


class RefreshToken(Request):
    """Any namespace: replace the token of the whole connection."""

    token: str


FRONT_DESK_COMMANDS: Mapping[str, type[Request]] = MappingProxyType(
    {"join": Join, "list": ListLobbies, "refresh_token": RefreshToken}
)
LOBBY_COMMANDS: Mapping[str, type[Request]] = MappingProxyType(
    {
        "select_numbers": SelectNumbers,
        "arrange_grid": ArrangeGrid,
        "claim": Claim,
        "leave": Leave,
        "sync": Sync,
        "refresh_token": RefreshToken,
    }
)
