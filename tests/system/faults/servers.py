"""Several servers on one store that are killed, hung, ended and started again."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from server.dev.ports import free_port
from server.runtime.exit_codes import BAD_SETTINGS
from tests.support.process import ChildProcess
from tests.system.conftest import FAIR_BINGO
from tests.system.faults.links import Address

START_SECONDS = 300
"""On a machine that has other work as well."""


class Server:
    """`fair-bingo serve` on a port of its own, which it keeps when it is started again. `up` says
    whether a load balancer would send anyone there."""

    def __init__(self, variables: Mapping[str, str], directory: Path) -> None:
        self.port = free_port()
        self.up = False
        self._variables = {**variables, "HOST": "127.0.0.1", "PORT": str(self.port)}
        self._directory = directory
        self._starts = 0
        self.process = self._spawn()

    @property
    def url(self) -> str:
        """Where it is reached without a proxy."""
        return f"http://127.0.0.1:{self.port}"

    async def wait_until_ready(self) -> None:
        """Return when it takes players."""
        url = f"{self.url}/health/ready"
        while True:
            try:
                await self.process.wait_for_url(url, timeout_seconds=START_SECONDS)
                break
            except AssertionError:
                if not self._lacked_replicas:
                    raise
            self.process = self._spawn()
        self.up = True

    async def restart(self) -> None:
        """Start it again after it has ended in any way."""
        self.process = self._spawn()
        await self.wait_until_ready()

    def kill(self) -> None:
        """End it as a crash would."""
        self.up = False
        self.process.kill()

    async def hang(self, seconds: float) -> None:
        """Stop it in the middle of whatever it does, and let it go on after so long."""
        self.up = False
        self.process.pause()
        await asyncio.sleep(seconds)
        self.process.resume()
        await self.wait_until_ready()

    async def drain(self) -> int:
        """End it in order. The exit code."""
        self.up = False
        self.process.terminate()
        return await self.process.wait(START_SECONDS)

    @property
    def _lacked_replicas(self) -> bool:
        """Whether it refused to start on a primary that was promoted a moment ago: one that was
        held up has lost its place, and is no replica yet."""
        process = self.process
        return process.exit_code == BAD_SETTINGS and "STORE_REPLICAS" in process.output

    def _spawn(self) -> ChildProcess:
        self._starts += 1
        output_path = self._directory / f"server-{self.port}-{self._starts}.log"
        return ChildProcess([FAIR_BINGO, "serve"], self._variables, output_path)


@contextmanager
def ended(*servers: Server) -> Iterator[tuple[Server, ...]]:
    """The servers, which are ended afterwards in whatever state they are."""
    try:
        yield servers
    finally:
        for server in servers:
            server.kill()


def addresses(servers: Iterable[Server]) -> list[Address]:
    """Where a load balancer sends players now: to the servers that are up."""
    return [("127.0.0.1", server.port) for server in servers if server.up]
