"""What an index of a table holds: lobbies of that table, or nothing that is of use."""

from collections.abc import Collection

import structlog

from protocol.ids import is_lobby_id, lobby_table
from server.store.connection import Connection

log = structlog.get_logger(__name__)


async def lobbies_of_table(
    connection: Connection, table: str, key: str, members: Collection[str], remove: str = "ZREM"
) -> list[str]:
    """Those members of an index that can be lobbies of its table, in order. The others, which some
    hand put there and which lead nowhere, are removed by the command `remove`."""
    lobbies = [member for member in members if is_lobby_id(member) and lobby_table(member) == table]
    if len(lobbies) < len(members):
        others = set(members).difference(lobbies)
        removed = await connection.call(remove, key, *others)
        index = key.partition(":")[0]
        connection.metrics.indexes_corrected.labels(index).inc(int(removed))
        log.warning("index_corrected", index=index, table=table, removed=int(removed))
    return lobbies
