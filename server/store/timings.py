"""How long the store is waited for, and how often it is looked at."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StoreTimings:
    """The time-outs and intervals of everything that talks to the store."""

    command_seconds: float = 2.0
    """A command without an answer for so long is given up."""
    confirm_seconds: float = 2.0
    """A channel whose subscription is not confirmed for so long is not subscribed."""
    ping_seconds: float = 2.0
    silence_seconds: float = 6.0
    """A connection on which nothing came for so long, though pinged, is dead: it is given up."""
    reconnect_seconds: float = 0.5
    """From a subscription that was lost to the next attempt."""
    inspect_seconds: float = 60.0
    """From one look at the store's settings to the next."""
    ask_seconds: float = 1.0
    """For so long an answer of a sentinel, or of a node of a cluster, is waited for that is asked
    where the primaries are; connecting to it included."""
    amended_seconds: float = 5.0
    """For so long what a node of a cluster said of one slot is believed against the view of all:
    the one that has lost the slot knows, while others may yet have to hear of it."""
    look_seconds: float = 1.0
    """For so long another table of a tier is waited for, where a player may hold a seat: it may be
    on a primary that is away."""
    find_tables_seconds: float = 4.0
    """From one look for tables that other servers opened, whose settings may be others, to the
    next."""


TIMINGS = StoreTimings()
PATIENT = StoreTimings(
    command_seconds=20, confirm_seconds=20, silence_seconds=60, ask_seconds=20, look_seconds=20
)
"""Where no player waits for an answer, or the store is on the same machine as all else: a pause of
it is no outage."""
