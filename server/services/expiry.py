"""When a finished lobby has expired: the store notifies nobody of that, so it is asked."""

import asyncio
from typing import Final

from server.store.errors import StoreUnavailable
from server.store.lobbies import LobbyStore

RETRY_SECONDS: Final = 0.5
_CHECK_SECONDS: Final = 60.0
"""The longest time between two checks: the store's clock, by which lobbies expire, may be set."""


async def expired(store: LobbyStore, lobby_id: str) -> None:
    """Return when the store no longer has the lobby."""
    while True:
        try:
            left_seconds = await store.seconds_left(lobby_id)
        except StoreUnavailable:
            left_seconds = RETRY_SECONDS
        if left_seconds == 0:
            return
        await asyncio.sleep(min(max(left_seconds, RETRY_SECONDS), _CHECK_SECONDS))
