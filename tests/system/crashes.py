"""Random faults of the store and of servers."""

import asyncio
import os
import random
import signal
import time
from collections import Counter

from tests.system.cashiers import TornStore
from tests.system.conftest import StartServe


class Faults:
    """Injects faults into the store and the servers, one at a time, and recovers from them."""

    def __init__(self, torn: TornStore, start_serve: StartServe, ports: list[int]) -> None:
        self.happened: Counter[str] = Counter()
        self._torn = torn
        self._start_serve = start_serve
        self._servers = {port: start_serve(PORT=str(port)) for port in ports}

    def __str__(self) -> str:
        return ", ".join(f"{count} {fault}" for fault, count in self.happened.items())

    async def work(self, seconds: float) -> None:
        """Do so for so long; afterwards the store and all servers are ready."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            await asyncio.sleep(random.uniform(0.1, 1))
            faults = [self._kill_server, self._crash_store, self._crash_store, self._pause_store]
            await random.choice(faults)()
        for server in self._servers.values():
            await server.wait_for_line('"ready"')

    async def end(self) -> None:
        """Stop the servers, which must still be there."""
        for server in self._servers.values():
            server.terminate()
        for server in self._servers.values():
            assert await server.wait() == 0, server.output

    async def _kill_server(self) -> None:
        port, server = random.choice([*self._servers.items()])
        server.kill()
        self.happened["servers killed"] += 1
        self._servers[port] = self._start_serve(PORT=str(port))

    async def _crash_store(self) -> None:
        self.happened["bytes cut off"] += self._torn.crash()
        self.happened["stores killed"] += 1

    async def _pause_store(self) -> None:
        os.kill(self._torn.store.pid, signal.SIGSTOP)
        await asyncio.sleep(random.uniform(0.1, 1.5))
        os.kill(self._torn.store.pid, signal.SIGCONT)
        self.happened["stores paused"] += 1
