"""What each node tells of itself to whoever looks after all of them."""

from collections.abc import Mapping

import orjson

from server.store import keys
from server.store.connection import Connection

Figures = Mapping[str, float]
"""A node's metrics at `at_ms`, by name and labels as in Prometheus's text."""


class Nodes:
    """The figures of the nodes that share the store."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def tell(self, node: str, figures: Figures) -> None:
        """Leave the figures of a node, in place of its last."""
        await self._connection.call("HSET", keys.NODES, node, orjson.dumps(figures))

    async def forget(self, *nodes: str) -> None:
        """These nodes are gone."""
        await self._connection.call("HDEL", keys.NODES, *nodes)

    async def told(self) -> Mapping[str, Figures]:
        """What every node told last; but for those of a version that tells it in another way."""
        found = await self._connection.call("HGETALL", keys.NODES)
        told = {node: _read(figures) for node, figures in found.items()}
        return {node: figures for node, figures in told.items() if figures}


def _read(text: str) -> Figures:
    try:
        figures = orjson.loads(text)
    except ValueError:
        return {}
    known = figures if isinstance(figures, dict) else {}
    return {name: value for name, value in known.items() if isinstance(value, float | int)}
