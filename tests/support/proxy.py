"""A TCP proxy on loopback whose links can stall, garble, be reset, or die silently."""

import asyncio
import socket
import struct
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit


class Proxy:
    """Passes bytes to and from the server at `url`. While `silent`, it drops them in both
    directions and keeps every connection open, as a firewall that forgot them would; between
    `hold` and `release` it keeps the server's answers back; after `garble` it passes on nonsense
    before the next of them. While `resetting`, it resets each new connection at once. `cut` ends
    those that there are. All that it passes on is
    delayed by `late_seconds`."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._links: set[asyncio.Task[None]] = set()
        self._answering = asyncio.Event()
        self._answering.set()
        self.silent = False
        self.resetting = False
        self.late_seconds = 0.0
        self._nonsense = b""

    def garble(self) -> None:
        """Put bytes before the next answer that are an error in any protocol of a store."""
        self._nonsense = b"nonsense\r\n"

    def hold(self) -> None:
        """Pass no answer on until `release`."""
        self._answering.clear()

    def release(self) -> None:
        """Pass on the answers that were held back, and all that follow."""
        self._answering.set()

    def cut(self) -> None:
        """End every connection; what was held back on it is lost."""
        for writer in self._writers:
            writer.transport.abort()

    @property
    def url(self) -> str:
        """Where to connect instead."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        return self._target._replace(netloc=f"127.0.0.1:{port}").geturl()

    def lead_to(self, url: str) -> None:
        """Pass new connections on to another server, as a name does whose address has changed;
        those that there are stay where they are."""
        self._target = urlsplit(url)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self.release()
        self._server.close()
        for writer in self._writers:
            writer.close()
        if self._links:
            await asyncio.wait(self._links)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.resetting:
            at_once = struct.pack("ii", 1, 0)
            accepted: socket.socket = writer.get_extra_info("socket")
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            writer.transport.abort()
            return
        link = asyncio.create_task(self._link(reader, writer))
        self._links.add(link)
        link.add_done_callback(self._links.discard)

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self._target.hostname, self._target.port
        try:
            far_reader, far_writer = await asyncio.open_connection(host, port)
        except OSError:  # as nobody is there, so it ends here
            writer.transport.abort()
            return
        await asyncio.gather(
            self._pass_on(reader, far_writer), self._pass_on(far_reader, writer, self._answering)
        )

    async def _pass_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        passing: asyncio.Event | None = None,
    ) -> None:
        self._writers.add(writer)
        with suppress(OSError):
            while data := await reader.read(65_536):
                await asyncio.sleep(self.late_seconds)
                if passing is not None:
                    await passing.wait()
                    data, self._nonsense = self._nonsense + data, b""
                if not self.silent:
                    writer.write(data)
        writer.close()
        self._writers.discard(writer)
