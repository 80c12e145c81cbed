"""The lifecycle as a table: what may happen in which status, and what status follows.

What is not in the table is impossible.
"""

from collections.abc import Mapping
from types import MappingProxyType

from protocol.views import Status
from server.rules.events import (
    ArrangingBegan,
    BeaconAwaited,
    BeaconChosen,
    BeaconMixed,
    Event,
    FormingExtended,
    GameFinished,
    GameStarted,
    GridArranged,
    LobbyOpened,
    NumberCalled,
    NumbersSelected,
    PlayerKicked,
    PlayerLeft,
    SeatPaid,
    SeatTaken,
)

TRANSITIONS: Mapping[Status | None, Mapping[type[Event], Status]] = MappingProxyType(
    {
        None: {LobbyOpened: "forming"},
        "forming": {
            BeaconChosen: "forming",
            SeatTaken: "forming",
            SeatPaid: "forming",
            PlayerLeft: "forming",
            FormingExtended: "forming",
            NumbersSelected: "forming",
            GridArranged: "forming",
            ArrangingBegan: "arranging",
            GameFinished: "finished",
        },
        "arranging": {
            PlayerLeft: "arranging",
            NumbersSelected: "arranging",
            GridArranged: "arranging",
            GameStarted: "active",
            GameFinished: "finished",
            BeaconAwaited: "active",
        },
        "active": {
            BeaconMixed: "active",
            NumberCalled: "active",
            PlayerKicked: "active",
            PlayerLeft: "active",
            GameFinished: "finished",
        },
        "finished": {},
    }
)


class IllegalStep(Exception):
    """An event that the lobby's status does not allow: a bug, never a client's fault."""


def next_status(status: Status | None, event: Event) -> Status:
    """The status after `event`. Raises IllegalStep if it may not happen now."""
    try:
        return TRANSITIONS[status][type(event)]
    except KeyError:
        raise IllegalStep(f"{type(event).__name__} while {status or 'not open'}") from None
