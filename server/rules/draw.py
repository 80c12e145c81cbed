"""The draw: every number of a game follows from the seed that was committed to before it opened.

Stream of numbers named `m`: block i = HMAC-SHA256(seed, "m:i"), read as eight big-endian 32-bit
numbers. Shuffle: Fisher-Yates from the end, each index by rejection sampling, so that every order
is equally likely.
"""

import hashlib
import hmac
import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import count
from typing import Literal

_RANGE = 2**32
_BLOCK = struct.Struct(">8I")

Grid = tuple[tuple[int, ...], ...]
ServerArranged = Literal["arranged", "picked"]
"""How the server helped with a grid: it arranged the chosen numbers, or picked them as well."""


def seed_hash(server_seed: bytes) -> str:
    """What is published before the game: lower-case hex SHA-256 of the seed."""
    return hashlib.sha256(server_seed).hexdigest()


def stream(server_seed: bytes, message: str) -> Iterator[int]:
    """The endless stream of 32-bit numbers named `message`."""
    for block in count():
        digest = hmac.digest(server_seed, f"{message}:{block}".encode(), "sha256")
        yield from _BLOCK.unpack(digest)


def shuffled(items: Iterable[int], server_seed: bytes, message: str) -> tuple[int, ...]:
    """`items` in the order that the stream named `message` gives them."""
    order = list(items)
    numbers = stream(server_seed, message)
    for j, u in zip(range(len(order) - 1, 0, -1), numbers, strict=False):
        while u >= _RANGE - _RANGE % (j + 1):
            u = next(numbers)
        k = u % (j + 1)
        order[j], order[k] = order[k], order[j]
    return tuple(order)


@lru_cache(maxsize=1)  # of a game whose log is followed it is asked for twice in a row
def call_order(server_seed: bytes, lobby_id: str, entropy: str, highest: int) -> tuple[int, ...]:
    """The order in which 1..highest are called."""
    return shuffled(range(1, highest + 1), server_seed, f"{lobby_id}:{entropy}")


def server_grid(
    server_seed: bytes,
    lobby_id: str,
    alien_id: str,
    numbers: Sequence[int] | None,
    *,
    side: int,
    highest: int,
) -> Grid:
    """The grid for a player who has not arranged one: of the chosen numbers, or of all."""
    pool = range(1, highest + 1) if numbers is None else sorted(numbers)
    order = shuffled(pool, server_seed, f"{lobby_id}:grid:{alien_id}")
    return tuple(tuple(order[row * side : (row + 1) * side]) for row in range(side))


def help_of_server(
    server_seed: bytes, lobby_id: str, alien_id: str, grid: Grid, *, highest: int
) -> ServerArranged | None:
    """How the server helped with a grid, as it follows from the grid itself. A player who
    by chance arranged the very grid that the server would have counts as helped."""
    numbers = [number for row in grid for number in row]

    def of(pool: Sequence[int] | None) -> Grid:
        side = len(grid)
        return server_grid(server_seed, lobby_id, alien_id, pool, side=side, highest=highest)

    if grid == of(None):
        return "picked"
    return "arranged" if grid == of(numbers) else None


def mix_entropy(players: Iterable[tuple[str, str, Grid]]) -> str:
    """What the players bring to the draw: hex SHA-256 of the JSON of `[alien_id, client_seed,
    grid]` of all who paid, sorted by `alien_id`."""
    rows = sorted(players, key=lambda player: player[0])
    text = json.dumps(rows, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
