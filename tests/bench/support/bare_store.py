"""Commits by a client that does nothing else: what the store by itself takes for them."""

import asyncio
from itertools import count
from typing import Any, Self

import orjson
from hiredis import Reader, pack_command

from server.dev.store import EmbeddedStore
from server.store.commits import NO_DECISION
from server.store.connection import Script
from server.store.projection import Write
from tests.support.replication import address

_numbers = count()


def command_writes() -> list[Write]:
    """Writes like those of a command, of some 1 kB, to one of a thousand lobbies."""
    number = next(_numbers)
    return [
        ("XADD", f"lobby:{{3500}}:{number % 1000}:events", "*", "event", "x" * 300),
        ("HSET", f"lobby:{{3500}}:{number % 1000}", "version", str(number), "state", "x" * 300),
        ("ZADD", "timers:{3500}", number, str(number % 1000)),
        ("SPUBLISH", f"lobby:{{3500}}:{number % 1000}:events", "x" * 300),
    ]


class BareClient:
    """A client of the store that does nothing but write packed commands and read the answers; who
    calls it while it waits for answers, waits too. Connected as a context."""

    def __init__(self, store: EmbeddedStore) -> None:
        self._address = address(store.url)
        self._turn = asyncio.Lock()
        self._script = Script("commit")
        self._sha = ""

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(*self._address)
        self._sha = str(await self.ask(("SCRIPT", "LOAD", self._script.source)))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def ask(self, *commands: tuple[Any, ...]) -> Any:
        """Send the commands in one write. Returns the answer to the last, an error included."""
        async with self._turn:
            self._writer.write(b"".join(map(pack_command, commands)))
            answers, parser = 0, Reader(encoding="utf-8")
            while answers < len(commands):
                parser.feed(await self._reader.read(65_536))
                while (answer := parser.gets()) is not False:
                    answers, last = answers + 1, answer
            return last

    async def commit(self, *then: tuple[Any, ...]) -> None:
        """Commit as `Commits` does, by the same script, with the commands `then` in the same
        write."""
        places: dict[str, int] = {}
        written = [
            [name, places.setdefault(key, len(places) + 1), *rest]
            for name, key, *rest in command_writes()
        ]
        args = [repr(NO_DECISION), 1000, "[]", orjson.dumps(written)]
        await self.ask(("EVALSHA", self._sha, len(places), *places, *args), *then)
