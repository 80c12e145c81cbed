"""Proofs of finished games, for everyone."""

import orjson

from protocol import ids
from protocol.errors import ErrorCode, Refused
from server.services.lobbies import Lobbies
from server.services.past import Past
from server.store.proofs import ProofStore


class Proofs:
    """Where proofs are found."""

    def __init__(self, lobbies: Lobbies, store: ProofStore, past: Past | None = None) -> None:
        self._lobbies = lobbies
        self._store = store
        self._past = past

    async def of(self, lobby_id: str) -> str | Refused:
        """The proof of a game as JSON. Refused as `not_finished` before its end and if it was
        called off, as `unknown_lobby` if nothing is known of it. Raises StoreUnavailable."""
        if not ids.is_lobby_id(lobby_id):
            return Refused(ErrorCode.UNKNOWN_LOBBY)
        proof = await self._store.load(lobby_id)
        if proof is not None:
            return proof
        snapshot = await self._lobbies.stored(lobby_id)
        if snapshot.lobby is not None:
            return Refused(ErrorCode.NOT_FINISHED)
        game = None if self._past is None else await self._past.game(lobby_id)
        if game is None:
            return Refused(ErrorCode.UNKNOWN_LOBBY)
        if game.proof is None:
            return Refused(ErrorCode.NOT_FINISHED)
        return orjson.dumps(game.proof).decode()
