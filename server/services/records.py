"""The records of games that are over, wherever they are."""

from protocol import ids
from protocol.errors import ErrorCode, Refused
from server.services.game_files import GameFile, game_file
from server.services.past import Past
from server.store.lobbies import LobbyStore


class Records:
    """Whole games, as files. `past`: what has left the store; None without books."""

    def __init__(self, store: LobbyStore, past: Past | None) -> None:
        self._store = store
        self._past = past

    async def of(self, lobby_id: str) -> GameFile | Refused:
        """The file of a game. Refused as `not_finished` before its end, as `unknown_lobby` if
        nothing is known of it. Raises StoreUnavailable, and BrokenLog if the store's log of it is
        not the one that was written."""
        if not ids.is_lobby_id(lobby_id):
            return Refused(ErrorCode.UNKNOWN_LOBBY)
        file = await game_file(self._store, lobby_id)
        if file is None and self._past is not None:
            file = await self._past.game(lobby_id)
        if file is not None:
            return file
        snapshot = await self._store.load(lobby_id)
        known = snapshot.lobby is not None
        return Refused(ErrorCode.NOT_FINISHED if known else ErrorCode.UNKNOWN_LOBBY)
