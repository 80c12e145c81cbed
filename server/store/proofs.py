"""Proofs in the store: kept longer than their lobbies."""

from protocol.ids import lobby_table
from server.store import keys
from server.store.commits import Check, Commits
from server.store.connection import Connection


class ProofStore:
    """The proofs of finished games."""

    def __init__(self, connection: Connection, commits: Commits) -> None:
        self._connection = connection
        self._commits = commits

    async def load(self, lobby_id: str) -> str | None:
        """The proof as JSON; None if there is none (yet, or any more)."""
        found: str | None = await self._connection.call("GET", keys.proof(lobby_id))
        if found is not None:  # it names a winner
            unchanged = Check(("GET", keys.proof(lobby_id)), found)
            await self._commits.confirm(lobby_table(lobby_id), [unchanged], (lobby_id, found))
        return found
