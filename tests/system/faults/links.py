"""TCP links that are reset, or die silently."""

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Self

Address = tuple[str, int]


class Links:
    """A TCP proxy on loopback: every link leads to one of the addresses that `targets` gives then,
    chosen at random; while it gives none, links are closed at once. `on_answer` gets all bytes
    that come back from there. `cuts` counts the links that `cut` has reset."""

    def __init__(
        self,
        targets: Callable[[], Sequence[Address]],
        on_answer: Callable[[bytes], object] = lambda _: None,
    ) -> None:
        self._targets = targets
        self._on_answer = on_answer
        self._server: asyncio.Server | None = None
        self._links: set[_Link] = set()
        self.cuts = 0

    @property
    def address(self) -> str:
        """Where to connect, as `host:port`."""
        assert self._server is not None
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await self._server.wait_closed()

    def cut(self) -> None:
        """Reset every link, in both directions: what is under way is lost."""
        for link in self._links:
            self.cuts += 1
            link.cut()

    def freeze(self) -> None:
        """Nothing passes any more over the links that there are, and neither side notices, as when
        a firewall forgets them. New ones work."""
        for link in self._links:
            link.frozen = True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link(writer, self._on_answer)
        self._links.add(link)
        try:
            with suppress(OSError):  # of either side: it is gone
                targets = self._targets()
                if targets:
                    await link.run(reader, random.choice(targets))
        finally:
            self._links.discard(link)
            link.close()


class _Link:
    def __init__(self, near: asyncio.StreamWriter, on_answer: Callable[[bytes], object]) -> None:
        self.frozen = False
        self._on_answer = on_answer
        self._near = near
        self._far: asyncio.StreamWriter | None = None

    async def run(self, near_reader: asyncio.StreamReader, target: Address) -> None:
        """Pass bytes on until either side ends."""
        far_reader, self._far = await asyncio.open_connection(*target)
        passing = [
            asyncio.create_task(self._pass_on(near_reader, self._far)),
            asyncio.create_task(self._pass_on(far_reader, self._near)),
        ]
        await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
        for task in passing:
            task.cancel()
        await asyncio.wait(passing)

    def cut(self) -> None:
        """Reset both connections."""
        for writer in (self._near, self._far):
            if writer is not None:
                writer.transport.abort()

    def close(self) -> None:
        """Close both connections after what was passed on."""
        for writer in (self._near, self._far):
            if writer is not None:
                writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                if writer is self._near:
                    self._on_answer(data)
                if not self.frozen:
                    writer.write(data)
                    await writer.drain()
