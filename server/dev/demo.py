"""`fair-bingo demo`: one fast game between bots on a real server, checked to the last coin."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from rich.console import Console

from protocol import strict_json
from protocol.client import enter_lobby
from protocol.to_client import RoomEvent
from protocol.views import LobbyView
from server.assembly.app import App
from server.dev.bots import Bot
from server.dev.compose import DevWorld
from server.dev.screen import Screen
from server.rules.verify import verify_proof
from server.runtime import logs
from server.services.audit import Audit
from server.services.past import WholeLedger

NAMES: Final = ("ada", "bela", "cleo", "dora")
BUY_IN: Final = 3500
SETTINGS: Final = {
    "PORT": "0",
    "LOG_LEVEL": "warning",
    "BUY_IN_TIERS": str(BUY_IN),
    "MAX_PLAYERS": str(len(NAMES)),
    "CALL_INTERVAL_SECONDS": "0.3",
}
GAME_TIMEOUT_SECONDS: Final = 180
PAYOUT_TIMEOUT_SECONDS: Final = 180
_POLL_SECONDS: Final = 0.2
_SEAT_INTERVAL_SECONDS: Final = 0.4
_CLAIM_DELAY_SECONDS: Final = (0.05, 0.25)


async def play_demo(console: Console) -> int:
    """Play a game and show it on `console`. Returns the exit code: 0 if it was won, its proof
    holds, the winner was paid (where there are books) and the ledger balances, else 1. Everything
    that it starts and stores is gone when it returns."""
    with TemporaryDirectory(prefix="fair-bingo-") as directory:
        world = DevWorld(Path(directory), SETTINGS, books=True)
        logs.configure(world.settings.log_level, world.settings.log_format)
        async with world.running() as app:
            async with asyncio.timeout(GAME_TIMEOUT_SECONDS):
                lobby = await _play(world, console)
            problems = await _check_proof(world, lobby)
            if app.books is not None:
                problems += await _check_payout(world, lobby, console)
            problems += await _check_ledger(app)
    if lobby.outcome != "won":
        problems.append(f"the game was not won: {lobby.outcome}")
    for problem in problems:
        console.print(f"[bold red]{problem}[/]")
    if not problems:
        console.print(f"The pot went to {lobby.winner}. The proof holds. The ledger balances.")
    return 1 if problems else 0


async def _play(world: DevWorld, console: Console) -> LobbyView:
    """Play one game, which a spectator shows from its first event to its last. Returns the lobby at
    its end."""
    variant = world.tiers[BUY_IN]
    bots = [Bot(world.access, name, _CLAIM_DELAY_SECONDS) for name in NAMES]
    first, *others = bots
    await first.take_seat(BUY_IN)
    spectator = enter_lobby(world.url, world.access.token("spectator"), first.lobby_id, last_seq=0)
    with Screen(console, bots, variant.highest) as screen:
        async with spectator as lobby, asyncio.TaskGroup() as group:
            group.create_task(first.play())
            group.create_task(_play_later(group, others))
            async for message in lobby:
                if isinstance(message, RoomEvent):
                    screen.show(lobby.view, message)
    return lobby.view


async def _play_later(group: asyncio.TaskGroup, bots: list[Bot]) -> None:
    for bot in bots:
        await asyncio.sleep(_SEAT_INTERVAL_SECONDS)
        await bot.take_seat(BUY_IN)
        group.create_task(bot.play())


async def _check_proof(world: DevWorld, lobby: LobbyView) -> list[str]:
    """Verify the proof of a lobby that is over. Returns what is wrong."""
    answer = await world.http.get(f"/api/game/{lobby.lobby_id}/proof")
    answer.raise_for_status()
    return verify_proof(strict_json.loads(answer.content))


async def _check_payout(world: DevWorld, lobby: LobbyView, console: Console) -> list[str]:
    """Wait until the winner sees the payout, and show it. Returns what is wrong."""
    if lobby.winner is None:
        return []
    winner = {"Authorization": f"Bearer {world.access.token(lobby.winner)}"}
    paid: dict[str, Any] | None = None
    try:
        async with asyncio.timeout(PAYOUT_TIMEOUT_SECONDS):
            while paid is None:
                answer = await world.http.get("/api/me/games", headers=winner)
                answer.raise_for_status()
                payouts = [game["payout"] for game in answer.json()["games"]]
                paid = next((p for p in payouts if p and p["status"] == "settled"), None)
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        return [f"{lobby.winner} was not paid within {PAYOUT_TIMEOUT_SECONDS} s"]
    coins, reference = paid["amount"], paid["reference"]
    console.print(f"{lobby.winner} was paid {coins:,} coins, reference {reference}.")
    return []


async def _check_ledger(app: App) -> list[str]:
    """Audit the ledger, wherever it is by now. Returns what is wrong."""
    past = None if app.books is None else app.books.past
    entries = WholeLedger(app.stores.ledger, app.stores.past_ledger, past)
    audit = Audit(entries, app.stores.lobbies, app.stores.directory)
    report = await audit.run([str(BUY_IN)])
    return list(report.problems)
