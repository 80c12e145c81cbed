"""How long the store is waited for, and how often it is looked at."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StoreTimings:
    """The time-outs and intervals of everything that talks to the store, in seconds."""

    command: float = 2.0
    """A command without an answer for so long is given up."""
    confirm: float = 2.0
    """A channel whose subscription is not confirmed for so long is not subscribed."""
    ping: float = 2.0
    silence: float = 6.0
    """A connection on which nothing came for so long, though pinged, is dead: it is given up."""
    reconnect: float = 0.5
    """From a subscription that was lost to the next attempt."""
    inspect: float = 60.0
    """From one look at the store's settings to the next."""
    find_tables: float = 4.0
    """From one look for tables that other servers opened, whose settings may be others, to the
    next."""


TIMINGS = StoreTimings()
