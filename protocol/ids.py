"""Every id and name on the wire: built here, parsed here, and nowhere else."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Final

from pydantic import StringConstraints

FRONT_DESK: Final = "/lobbies"

# For pydantic and JSON Schema, whose `$` is the very end; Python's `re` wants `fullmatch` with it.
ALIEN_ID_PATTERN: Final = r"^[A-Za-z0-9._:@-]{1,128}$"
_TABLE = r"[0-9]{1,12}(?:-[0-9]{1,3})?"
_LOBBY_ID = re.compile(rf"lobby_({_TABLE})_([0-9a-f]{{12}})")
LOBBY_ID_PATTERN: Final = rf"^lobby_{_TABLE}_[0-9a-f]{{12}}$"
_INVOICE_ID = re.compile(rf"inv_({_TABLE})_([0-9a-f]{{12}})_([0-9a-f]{{16}})")

AlienId = Annotated[str, StringConstraints(pattern=ALIEN_ID_PATTERN)]


def tier_tables(tier: int, count: int) -> Sequence[str]:
    """The tables of a tier: one that is named as the tier is or, of several, `<tier>-1`,
    `<tier>-2` and so on."""
    return [str(tier)] if count == 1 else [f"{tier}-{place}" for place in range(1, count + 1)]


def table_tier(table: str) -> int:
    """The tier of a table, in coins."""
    return int(table.partition("-")[0])


def lobby_id(table: str, suffix: bytes) -> str:
    """The id of a new lobby of `table`; `suffix` is 6 random bytes."""
    return f"lobby_{table}_{suffix.hex()}"


def is_lobby_id(text: str) -> bool:
    """Whether `text` has the form of a lobby id (the lobby need not exist)."""
    return _LOBBY_ID.fullmatch(text) is not None


@lru_cache(maxsize=4096)  # asked at each step of each game
def lobby_table(lobby: str) -> str:
    """The table in a lobby id. Raises ValueError for anything else."""
    match = _LOBBY_ID.fullmatch(lobby)
    if match is None:
        raise ValueError(f"not a lobby id: {lobby!r}")
    return match[1]


def lobby_namespace(lobby: str) -> str:
    """The Socket.IO namespace of a lobby."""
    return f"/{lobby}"


def namespace_lobby(namespace: str) -> str | None:
    """The lobby whose namespace this would be, or None."""
    name = namespace.removeprefix("/")
    return name if namespace.startswith("/") and is_lobby_id(name) else None


def invoice_id(lobby: str, suffix: bytes) -> str:
    """The id of a new invoice for a seat in `lobby`; `suffix` is 8 random bytes.

    Shorter than 64 bytes, as the payment provider demands, and it leads back to its lobby.
    """
    match = _LOBBY_ID.fullmatch(lobby)
    if match is None:
        raise ValueError(f"not a lobby id: {lobby!r}")
    return f"inv_{match[1]}_{match[2]}_{suffix.hex()}"


def invoice_lobby(invoice: str) -> str | None:
    """The lobby that an invoice id leads back to, or None if it is not one of ours."""
    match = _INVOICE_ID.fullmatch(invoice)
    return None if match is None else f"lobby_{match[1]}_{match[2]}"


def invoice_table(invoice: str) -> str | None:
    """The table in an invoice id, or None if it is not one of ours."""
    match = _INVOICE_ID.fullmatch(invoice)
    return None if match is None else match[1]
