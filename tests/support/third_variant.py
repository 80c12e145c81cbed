"""A third variant as one value, and a server that offers it beside the others."""

from collections.abc import Mapping
from typing import Final

from server.assembly.tiers import tiers, variant
from server.dev.compose import DevWorld
from server.rules.variants import SHAPES, Shape, Variant
from server.runtime.settings import Settings

NAME: Final = "corners"
TIER: Final = 4000
CORNERS: Final = Shape(
    side=4,
    highest=60,
    patterns={
        "corners": ((0, 0), (0, 3), (3, 0), (3, 3)),
        "middle": ((1, 1), (1, 2), (2, 1), (2, 2)),
        # With these somebody has won long before all numbers are called.
        "top_left": ((0, 0), (0, 1), (1, 0), (1, 1)),
        "top_right": ((0, 2), (0, 3), (1, 2), (1, 3)),
        "bottom_left": ((2, 0), (2, 1), (3, 0), (3, 1)),
        "bottom_right": ((2, 2), (2, 3), (3, 2), (3, 3)),
    },
)


def offered(settings: Settings) -> Mapping[int, Variant]:
    """The tiers of the settings, and one for two players who play the third variant."""
    third = variant(settings, NAME, min_players=2, max_players=2)
    return {**tiers(settings), TIER: third}


def offer(world: DevWorld) -> None:
    """Have a server that has not been started offer it. Every server of this process knows the
    variant from then on."""
    SHAPES[NAME] = CORNERS
    world.tiers = offered(world.settings)
