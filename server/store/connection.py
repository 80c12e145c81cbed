"""The connection to the store, whatever the store is made of; and scripts."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from importlib.resources import files
from typing import Any

from redis import exceptions

from server.runtime.clock import StoreClock
from server.runtime.metrics import Metrics

Ask = Callable[..., Awaitable[list[Any]]]
"""`await ask(command, ...)`: the answers to commands, of which some may be errors; each command is
a sequence of its words. All go out in one write."""


class Script:
    """One Lua script, by the name of its file."""

    def __init__(self, name: str) -> None:
        self.source = files("server.store").joinpath("lua", f"{name}.lua").read_text()
        self.sha: str | None = None


class Connection(ABC):
    """The store, for commands of one table each: whoever uses it need not know where that is."""

    look: Callable[[str, Ask], Awaitable[None]] | None = None
    """Awaited with the name of the shard whenever a connection was made anew, before any command
    goes out on it: whatever it asks is answered by the store that they will reach. If it raises,
    the connection is given up."""

    def __init__(self, clock: StoreClock, metrics: Metrics) -> None:
        self._clock = clock
        self.metrics = metrics

    @abstractmethod
    def call(self, *command: Any) -> Awaitable[Any]:
        """The store's answer to one command. Those that are called for before the first is awaited
        travel together.

        Raises StoreUnavailable after `timings.command_seconds` (and the wait) at most, or
        redis.ResponseError if the command itself is wrong.
        """

    @abstractmethod
    async def look_again(self) -> None:
        """Have the store looked at as if it were a new one. Raises StoreUnavailable."""

    @property
    @abstractmethod
    def shards(self) -> Sequence[str]:
        """The names of the shards that there are."""

    @property
    @abstractmethod
    def waiting(self) -> int:
        """Commands that wait to be sent."""

    @abstractmethod
    async def close(self) -> None:
        """Finish what was sent and close."""

    async def run(self, script: Script, keys: Sequence[str], args: Sequence[Any]) -> Any:
        """The answer of a script; it must not have written before it can fail."""
        if script.sha is None:
            script.sha = await self.call("SCRIPT", "LOAD", script.source)
        try:
            return await self.call("EVALSHA", script.sha, len(keys), *keys, *args)
        except exceptions.NoScriptError:
            return await self.call("EVAL", script.source, len(keys), *keys, *args)

    async def run_timed(self, script: Script, keys: Sequence[str], args: Sequence[Any]) -> Any:
        """Like `run`, for a script whose answer ends with the store's time, which sets the clock.
        Returns the answer without it."""
        sent_ms = self._clock.monotonic_ms()
        *answer, seconds, microseconds = await self.run(script, keys, args)
        self._observe(seconds, microseconds, sent_ms)
        return answer

    async def set_clock(self) -> None:
        """Set the clock, which is this machine's until the store's time was seen once."""
        sent_ms = self._clock.monotonic_ms()
        seconds, microseconds = await self.call("TIME")
        self._observe(seconds, microseconds, sent_ms)

    def _observe(self, seconds: Any, microseconds: Any, sent_ms: float) -> None:
        store_ms = int(seconds) * 1000 + int(microseconds) / 1000
        self._clock.observe(store_ms, sent_ms, self._clock.monotonic_ms())
