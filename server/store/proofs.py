"""Proofs in the store: kept longer than their lobbies."""

from server.store import keys
from server.store.connection import Connection


class ProofStore:
    """The proofs of finished games."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def load(self, lobby_id: str) -> str | None:
        """The proof as JSON; None if there is none (yet, or any more)."""
        found: str | None = await self._connection.call("GET", keys.proof(lobby_id))
        return found
