"""The development server as a program, and company for the people in the browser."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import httpx

from protocol.client import Room, connect, enter_lobby
from protocol.to_client import NumberCalled
from protocol.views import Invoice
from server.dev.bots import Access, Bot
from tests.support.process import ChildProcess
from tests.support.wait import TIMEOUT_SECONDS

TIER = 3500
NEVER_SECONDS = 3600.0

_SERVE = """
import asyncio, os, pathlib, sys
from server.runtime import logs
from server.dev.compose import DevWorld

async def serve() -> None:
    world = DevWorld(pathlib.Path(sys.argv[1]), os.environ)
    {prepare}
    logs.configure("info", "json")
    async with world.running():
        print("running on", world.url)
        await asyncio.Event().wait()

asyncio.run(serve())
"""


def program(prepare: str = "") -> str:
    """The program; `prepare` is a line that does something to the `world` before it starts."""
    return _SERVE.format(prepare=prepare)


@dataclass(frozen=True)
class World:
    """A running development server without bots of its own."""

    process: ChildProcess
    url: str

    def token(self, alien_id: str) -> str:
        """A token for any player."""
        url, asked = f"{self.url}/dev/token", {"alien_id": alien_id}
        answer = httpx.post(url, json=asked, trust_env=False, timeout=TIMEOUT_SECONDS)
        return str(answer.json()["token"])

    async def join(self, alien_id: str, buy_in_amount: int) -> str:
        """A seat for a player who does not come to the front desk: the lobby's id."""
        async with connect(self.url, self.token(alien_id)) as desk:
            return (await desk.join(buy_in_amount)).lobby.lobby_id

    async def pay(self, invoice_id: str) -> None:
        """Have an invoice paid."""
        async with httpx.AsyncClient(
            base_url=self.url, trust_env=False, timeout=TIMEOUT_SECONDS
        ) as client:
            answer = await client.post("/dev/pay", json={"invoice_id": invoice_id})
            answer.raise_for_status()

    @asynccontextmanager
    async def company(
        self, *names: str, tier: int = TIER, claim_delay_seconds: float = NEVER_SECONDS
    ) -> AsyncIterator[str]:
        """Bots with paid seats that play one game; they claim so long after a pattern is complete.
        Gives the id of their lobby."""

        async def pay(invoice: Invoice) -> None:
            await self.pay(invoice.invoice_id)

        access = Access(self.url, self.token, pay)
        delay = (claim_delay_seconds, claim_delay_seconds)
        bots = [Bot(access, name, delay) for name in names]
        for bot in bots:
            await bot.take_seat(tier)
        games = [asyncio.create_task(bot.play()) for bot in bots]
        try:
            yield bots[0].lobby_id
        finally:
            for game in games:
                game.cancel()
            await asyncio.wait(games)

    def watch(
        self, lobby_id: str, last_seq: int | None = None
    ) -> AbstractAsyncContextManager[Room]:
        """A lobby as a spectator sees it, from now on or after `last_seq`."""
        return enter_lobby(self.url, self.token("spectator"), lobby_id, last_seq)

    async def calls(self, lobby_id: str, how_many: int) -> None:
        """Return after so many more calls in a lobby."""
        async with self.watch(lobby_id) as lobby:
            async for event in lobby:
                match event:
                    case NumberCalled():
                        how_many -= 1
                if how_many == 0:
                    return
