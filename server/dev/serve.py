"""`fair-bingo dev`: a server to play on and to build against, with bots for company."""

import asyncio
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from server.dev.bots import keep_bots_waiting
from server.dev.compose import DevWorld
from server.runtime import logs

DATA_DIR: Final = Path(".fair-bingo")

_WELCOME: Final = """
Fair Bingo is running on {url}

  Play          open {url} in a browser. Bots wait for you in a lobby of
                each tier ({tiers}).
  Look          {url}/docs has every message,
                {url}/ops is the operator's page.
  A token       curl {url}/dev/token -d '{{"alien_id": "ann"}}'
  A payment     curl {url}/dev/pay -d '{{"invoice_id": "..."}}'
  Payouts       what is owed is paid a second later. A payment service that
                fails: curl -X PUT {payouts_url}/faults -d '{{"faults": ["lost"]}}'
  A draw        {url}/verify checks one. Its beacon has a key of its own
                ({url}/dev/beacon), which `fair-bingo verify` knows in this directory.

Its state is kept in {data_dir}. Press Ctrl-C to stop.
"""


async def serve_dev(environ: Mapping[str, str], data_dir: Path = DATA_DIR) -> None:
    """Run the development server until SIGINT or SIGTERM. `environ` has settings as in production;
    all state is in `data_dir`, where the next run finds it.

    Raises SettingsError, EmbeddedStoreError, and OSError if the port cannot be had.
    """
    world = DevWorld(data_dir, _with_bots(environ), books=True, beacon=True)
    logs.configure(world.settings.log_level, world.settings.log_format)
    print(f"Starting a store, books and a server on {world.url} ...", flush=True)
    async with world.running():
        stopped = _stop_signal()
        print(_welcome(world, data_dir), flush=True)
        async with asyncio.TaskGroup() as group:
            bots = group.create_task(keep_bots_waiting(world.access, world.tiers))
            await stopped.wait()
            bots.cancel()


def _with_bots(environ: Mapping[str, str]) -> Mapping[str, str]:
    """The settings with defaults for one person: three bots wait in each lobby, and games begin
    soon."""
    waiting = {} if environ.get("MAX_PLAYERS") else {"MIN_PLAYERS": "4"}
    return {"FORMATION_SECONDS": "20", **waiting, **environ}


def _welcome(world: DevWorld, data_dir: Path) -> str:
    offered = ", ".join(map(str, world.tiers))
    return _WELCOME.format(
        url=world.url, tiers=offered, data_dir=data_dir, payouts_url=world.payouts_url
    )


def _stop_signal() -> asyncio.Event:
    """An event that SIGINT and SIGTERM set, from now on."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    return stopped
