"""Generated tickets, players, amounts of time, and deliveries of the payment provider."""

from typing import Literal, get_args

from hypothesis import strategies as st

from server.rules.variants import Variant
from tests.rules.games import AWAITED, CLASSIC, GRAND, SMALL

Grid = tuple[tuple[int, ...], ...]
Trouble = Literal[
    "none",
    "failed",
    "recipient",
    "network",
    "decimals",
    "no amount",
    "too much",
    "too little",
    "known",
]

variants = st.sampled_from([SMALL, CLASSIC, GRAND])
beacons = st.sampled_from([None, AWAITED])
server_seeds = st.binary(min_size=32, max_size=32)
alien_ids = st.text("ABCxyz019._:@-", min_size=1, max_size=128)
client_seeds = st.text(st.characters(exclude_categories=["Cs"]), max_size=64)

# What is wrong with a delivery; most often nothing.
troubles: st.SearchStrategy[Trouble] = st.one_of(
    st.just("none"), st.sampled_from(get_args(Trouble))
)


def players(variant: Variant) -> st.SearchStrategy[str]:
    """One of a few more people than there are seats."""
    return st.sampled_from([f"player-{i:02}" for i in range(min(variant.max_players, 5) + 2)])


def numbers(variant: Variant) -> st.SearchStrategy[tuple[int, ...]]:
    """The numbers of a ticket."""
    size = variant.ticket_size
    return st.permutations(range(1, variant.highest + 1)).map(lambda order: tuple(order[:size]))


def grids(variant: Variant) -> st.SearchStrategy[Grid]:
    """An arranged ticket."""
    side = variant.side
    return numbers(variant).map(
        lambda flat: tuple(flat[r * side : (r + 1) * side] for r in range(side))
    )


def durations_ms(variant: Variant) -> st.SearchStrategy[float]:
    """From no time at all to longer than any one thing in the variant takes."""
    known = (variant.call_interval_ms, variant.arranging_ms, variant.formation_ms, variant.seat_ms)
    return st.one_of(
        st.just(0.0),
        st.floats(0, 2 * variant.call_interval_ms),
        st.sampled_from(known).flatmap(lambda ms: st.sampled_from([ms - 1.0, ms + 0.0, ms + 1.0])),
        st.floats(0, variant.lobby_ttl_ms / 2),
    )
