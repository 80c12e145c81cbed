"""The server under fire, and what must hold of it whatever it was sent."""

import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.fuzz.canary import Canary
from tests.support.process import ChildProcess
from tests.support.wait import until
from tests.system.conftest import FAIR_BINGO, READY
from tests.system.game_server import GameServer, environment, published_keys

ATTACKER: Final = "mallory"
ATTACKER_BUY_IN: Final = 3500
MOST_GROWTH_BYTES: Final = 64 * 1024 * 1024

SETTINGS: Final = {
    "MESSAGE_RATE": "0",  # no limits, so that everything reaches what is behind them
    "CONNECT_RATE": "0",
    "SOCKETS_PER_PLAYER": "0",
    "HTTP_RATE": "0",
    "CONNECT_TIMEOUT_SECONDS": "30",  # for all who are in no hurry to be cut off
    "CALL_INTERVAL_SECONDS": "0.25",
    "SEAT_SECONDS": "86400",  # the attacker's lobby forms for as long as the tests last
    "FORMATION_SECONDS": "86400",
    "LOBBY_TTL_SECONDS": "86400",
}

_COSTS: Final = ("fair_bingo_sockets", "fair_bingo_tasks", "fair_bingo_lobby_replicas")
_HARMLESS_LEVELS: Final = frozenset({"debug", "info", "warning"})


class Target:
    """A `fair-bingo serve` with a canary in a game, and a paid seat for the attacker in a lobby
    that forms, whose namespace is `lobby`. The attacker's two tokens are of both algorithms."""

    def __init__(self, pid: int, log: Iterable[str], game: GameServer) -> None:
        self.game = game
        self.port = game.port
        self.canary = Canary(game)
        self.token = game.issuer.token(ATTACKER)
        self.other_token = game.issuer.token(ATTACKER, algorithm="RS256")
        self.lobby = ""
        self._pid = pid
        self._log = log
        self._begun_line = ""
        self._costs: Counter[str] = Counter()
        self._memory_bytes = 0
        self._failures = 0.0

    async def prepare(self) -> None:
        """Let everyone sit down, and take note of what that costs."""
        await self.seat_attacker()
        await self.canary.sit_down()
        self._costs = await self._read_costs()
        self._memory_bytes = self._resident_bytes()

    async def seat_attacker(self) -> None:
        """See to it that the attacker has a paid seat, whatever became of the last one."""
        joined = await self.game.join(ATTACKER, ATTACKER_BUY_IN)
        self.lobby = f"/{joined['lobby_id']}"
        if joined["invoice"]["status"] != "paid":
            await self.game.pay(joined["invoice"])

    async def is_unharmed(self) -> None:
        """Return when nothing is left of the attack; raises AssertionError if something stays, or
        if there is an error in the log, an answer was `internal` or the canary was disturbed."""
        await until(self._is_at_rest)
        for line in self._lines():
            assert json.loads(line)["level"] in _HARMLESS_LEVELS, line
        assert self._failures == 0, "an answer was `internal`"
        assert self._resident_bytes() - self._memory_bytes < MOST_GROWTH_BYTES
        await self.canary.is_undisturbed()

    def _lines(self) -> Iterator[str]:
        """What was logged since it was last asked for, but for a line that is yet to be ended."""
        for part in self._log:
            self._begun_line += part
            if part.endswith("\n"):
                yield self._begun_line
                self._begun_line = ""

    async def _is_at_rest(self) -> bool:
        return await self._read_costs() <= self._costs

    async def _read_costs(self) -> Counter[str]:
        """What connections cost: entries in tables, tasks, open files."""
        answer = await self.game.get("/metrics")
        costs = Counter(descriptors=len(os.listdir(f"/proc/{self._pid}/fd")))
        for family in text_string_to_metric_families(answer.body.decode()):
            for sample in family.samples:
                if sample.name in _COSTS:
                    costs[sample.name] += int(sample.value)
                if sample.name == "fair_bingo_failures_total":
                    self._failures = sample.value
        return costs

    def _resident_bytes(self) -> int:
        status = Path(f"/proc/{self._pid}/status").read_text()
        (kilobytes,) = (line.split()[1] for line in status.splitlines() if "VmRSS" in line)
        return int(kilobytes) * 1024


@asynccontextmanager
async def running_target(
    store_url: str, issuer: DevIssuer, provider: DevProvider, output_path: Path
) -> AsyncIterator[Target]:
    """A target whose canary sits in a game. What it prints is in `output_path`."""
    # Without kept connections, so that those of others show.
    connector = aiohttp.TCPConnector(force_close=True)
    async with (
        published_keys(issuer) as jwks_url,
        aiohttp.ClientSession(connector=connector) as http,
    ):
        variables = environment(store_url, jwks_url, issuer, provider) | SETTINGS
        process = ChildProcess([FAIR_BINGO, "serve"], variables, output_path)
        try:
            ready = await process.wait_for_line(READY)
            game = GameServer(ready[1], issuer, provider, http)
            with output_path.open() as log:
                target = Target(process.pid, log, game)
                await target.prepare()
                yield target
            await target.canary.leave()
        finally:
            process.kill()
