"""The samples of metrics that each node reports, for the operator of all."""

from collections.abc import Mapping

import orjson

from server.store import keys
from server.store.connection import Connection

NodeSamples = Mapping[str, float]
"""A node's metrics at `at_ms`, by name and labels as in Prometheus's text."""


class Nodes:
    """The samples of the nodes that share the store."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def report(self, node: str, samples: NodeSamples) -> None:
        """Store the samples of a node, in place of its last."""
        await self._connection.call("HSET", keys.NODES, node, orjson.dumps(samples))

    async def forget(self, *nodes: str) -> None:
        """Delete the samples of nodes that are gone."""
        await self._connection.call("HDEL", keys.NODES, *nodes)

    async def reports(self) -> Mapping[str, NodeSamples]:
        """The last samples of every node, but for those in a format of another version."""
        found = await self._connection.call("HGETALL", keys.NODES)
        reports = {node: _read(samples) for node, samples in found.items()}
        return {node: samples for node, samples in reports.items() if samples}


def _read(text: str) -> NodeSamples:
    try:
        samples = orjson.loads(text)
    except ValueError:
        return {}
    known = samples if isinstance(samples, dict) else {}
    return {name: value for name, value in known.items() if isinstance(value, float | int)}
